/**
 * Commands for operators and maintenance: `npm run cli -- <command>`.
 */
import { readRequest, UsageProblem, type Commands } from './cli/command.ts';
import { control } from './cli/control.ts';
import { dead } from './cli/dead.ts';
import { embeddings } from './cli/reindex.ts';
import { events } from './cli/events.ts';
import { inspect } from './cli/inspect.ts';
import { maintenance } from './cli/maintenance.ts';
import { schedules } from './cli/schedules.ts';
import { onReaderGone, say } from './output.ts';

const COMMANDS: Commands = {
  ...maintenance,
  ...embeddings,
  ...inspect,
  ...control,
  ...dead,
  ...events,
  ...schedules,
};

/** @returns the exit code: 0 done, 1 failed, 2 not understood. */
async function cli(line: readonly string[]): Promise<number> {
  const request = readRequest(COMMANDS, line);
  if (request.kind === 'run') return (await request.command.run(request.input)) ?? 0;
  if (request.kind === 'problem') process.stderr.write(`${request.text}\n`);
  else say(request.text);
  return request.kind === 'problem' ? 2 : 0;
}

// A command is carried through whoever reads: a migration must not stop halfway for `| head`.
onReaderGone(() => undefined);
try {
  process.exitCode = await cli(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageProblem ? 2 : 1;
}
