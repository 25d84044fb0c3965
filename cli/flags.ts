/** Flags of a process. Each overrides a setting and is validated like it. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../base/options/closest.ts';
import { SETTINGS, type Setting, type SettingName } from '../base/settings/index.ts';

const FLAGS = {
  role: 'ROLE',
  queues: 'WORKER_QUEUES',
  threads: 'WORKER_THREADS',
  concurrency: 'WORKER_CONCURRENCY',
} as const satisfies Record<string, SettingName>;

const NAMES = Object.keys(FLAGS) as (keyof typeof FLAGS)[];

export type Flags =
  | { kind: 'settings'; settings: Record<string, string> }
  | { kind: 'help'; text: string }
  | { kind: 'problem'; text: string };

/** @param words `process.argv` from the third on. */
export function readFlags(words: readonly string[]): Flags {
  const options = Object.fromEntries(NAMES.map((name) => [name, { type: 'string' as const }]));
  const { tokens } = parseArgs({
    args: [...words],
    options: { ...options, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  });
  const settings: Record<string, string> = {};
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') return problem(`"${token.value}" is not a flag.`);
    if (token.name === 'help') return { kind: 'help', text: help() };
    const name = NAMES.find((known) => known === token.name);
    if (name === undefined) {
      const hint = didYouMean(
        token.rawName,
        [...NAMES, 'help'].map((known) => `--${known}`),
      );
      return problem(`There is no flag ${token.rawName}.${hint}`);
    }
    // A value that starts with a dash is the next flag.
    const isMissing = token.inlineValue !== true && token.value?.startsWith('-');
    if (!token.value?.trim() || isMissing) return problem(`${token.rawName} needs a value.`);
    settings[FLAGS[name]] = token.value;
  }
  return { kind: 'settings', settings };
}

const problem = (sentence: string): Flags => ({
  kind: 'problem',
  text: `${sentence}\n\n${help()}`,
});

function help(): string {
  const rows = NAMES.map((name) => {
    const setting: Setting = SETTINGS[FLAGS[name]];
    const about = `${setting.describe} Default: ${FLAGS[name]}, or ${setting.default}.`;
    return `  ${`--${name} <${setting.values?.join('|') ?? setting.kind}>`.padEnd(38)} ${about}`;
  });
  return ['npm start -- [flags]', '', ...rows, '', 'All settings: npm run cli -- config'].join(
    '\n',
  );
}
