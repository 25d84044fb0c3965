/** Runs one command line. Loads only the group it names, as each loads store clients; help and unknown commands load all. */
import { say } from './output.ts';
import { readRequest, UsageProblem, type Commands } from './command.ts';

type Load = () => Promise<Commands>;

const maintenance: Load = async () => (await import('./commands/maintenance.ts')).maintenance;

/** By first word. */
const GROUPS: Readonly<Record<string, Load>> = {
  config: maintenance,
  migrate: maintenance,
  seed: maintenance,
  reset: maintenance,
  reindex: async () => (await import('./commands/reindex.ts')).embeddings,
  inspect: async () => (await import('./commands/inspect.ts')).inspect,
  control: async () => (await import('./commands/control.ts')).control,
  dead: async () => (await import('./commands/dead.ts')).dead,
  events: async () => (await import('./commands/events.ts')).events,
  schedules: async () => (await import('./commands/schedules.ts')).schedules,
};

/** @returns the exit code: 0 done, 1 failed, 2 wrong usage. Errors go to standard error. */
export async function runCommand(line: readonly string[]): Promise<number> {
  try {
    const request = readRequest(await commandsFor(line[0]), line);
    if (request.kind === 'run') return (await request.command.run(request.input)) ?? 0;
    if (request.kind === 'problem') process.stderr.write(`${request.text}\n`);
    else say(request.text);
    return request.kind === 'problem' ? 2 : 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageProblem ? 2 : 1;
  }
}

async function commandsFor(first = ''): Promise<Commands> {
  const loads = Object.hasOwn(GROUPS, first) ? [GROUPS[first]!] : new Set(Object.values(GROUPS));
  const groups = await Promise.all(Array.from(loads, (load) => load()));
  return Object.assign({}, ...groups) as Commands;
}
