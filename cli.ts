/**
 * Commands for operators and maintenance: `npm run cli -- <command>`.
 */
import { didYouMean } from './closest.ts';
import { describeConfig, loadConfig, type ResolvedConfig } from './config.ts';
import { resetData } from './db/embedded/data-dir.ts';
import { attachToRunning, resolveConfig } from './db/embedded/engines.ts';
import { prepareStores, seedStores } from './db/prepare.ts';
import { checkStores } from './db/reachable.ts';
import { onReaderGone, say } from './output.ts';

interface Command {
  usage: string;
  describe: string;
  /** The words that may follow the command. Default none. */
  options?: readonly string[];
  run(options: readonly string[]): Promise<void>;
}

/** Runs on the engines of a running process, on configured stores, or on embedded engines started for it. */
async function withStores(
  work: (config: ResolvedConfig, embedded: boolean) => Promise<void>,
): Promise<void> {
  const config = loadConfig();
  const running = await attachToRunning(config);
  if (running !== undefined) return work(running, true);
  const resolved = await resolveConfig(
    config,
    ({ name }) => say(`  ${name} is up`),
    (reason) => say(`  … ${reason}`),
  );
  try {
    await checkStores(resolved.config, resolved.embedded);
    await work(resolved.config, resolved.embedded.includes('postgres'));
  } finally {
    await resolved.stop();
  }
}

const COMMANDS: Record<string, Command> = {
  config: {
    usage: 'config',
    describe: 'print every setting: value, default, unit, meaning; secrets are hidden',
    run: async () => {
      for (const { name, value, isDefault, unit, describe } of describeConfig()) {
        say(
          `${name}=${value}${unit === '' ? '' : ` ${unit}`}${isDefault ? '   (default)' : ''}\n    ${describe}`,
        );
      }
      loadConfig();
    },
  },
  migrate: {
    usage: 'migrate [--seed]',
    describe:
      'create or update tables, collections and aliases; --seed also makes the read model and loads the seed',
    options: ['--seed'],
    run: async (options) => {
      const wantsSeed = options.includes('--seed');
      await withStores(async (config, embedded) => {
        const applied = await prepareStores(config, { readModel: embedded || wantsSeed });
        say(applied.length === 0 ? 'Nothing to apply.' : `Applied: ${applied.join(', ')}`);
        if (wantsSeed) await seedStores(config);
      });
    },
  },
  seed: {
    usage: 'seed',
    describe: 'load the seed; what is there already stays as it is',
    run: async () => {
      await withStores((config) => seedStores(config));
      say('The seed is loaded.');
    },
  },
  reset: {
    usage: 'reset',
    describe: 'empty the data directory of the embedded engines',
    run: async () => {
      const { dataDir } = loadConfig();
      await resetData({ dataDir: `${dataDir}/demo` });
      await resetData({ dataDir });
      say(`${dataDir} is empty.`);
    },
  },
};

function help(): string {
  const lines = Object.values(COMMANDS).map(
    ({ usage, describe }) => `  ${usage.padEnd(18)} ${describe}`,
  );
  return ['npm run cli -- <command>', '', ...lines].join('\n');
}

/** What is wrong with the words of the command line, and how it is done right. */
function usageProblem(name: string, words: readonly string[]): string | undefined {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const hint = didYouMean(name, Object.keys(COMMANDS));
    return `There is no command "${name}".${hint}\n\n${help()}`;
  }
  const { options = [], usage } = command;
  const stray = words.find((word) => !options.includes(word));
  if (stray === undefined) return undefined;
  const hint = didYouMean(stray, options);
  return `The command ${name} does not take "${stray}".${hint}\nUsage: npm run cli -- ${usage}`;
}

async function cli([name, ...words]: string[]): Promise<void> {
  if (name === undefined || ['help', '--help', '-h'].includes(name)) return say(help());
  const problem = usageProblem(name, words);
  if (problem === undefined) return COMMANDS[name]!.run(words);
  process.stderr.write(`${problem}\n`);
  process.exitCode = 2;
}

// A command is carried through whoever reads: a migration must not stop halfway for `| head`.
onReaderGone(() => undefined);
try {
  await cli(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
