/** Defines commands of the CLI and parses command lines. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../base/options/closest.ts';

export interface Option {
  /** `number`: a whole number, at least 1. */
  kind: 'flag' | 'text' | 'number';
  describe: string;
}

export interface Input {
  /** Positional arguments after the name. */
  words: string[];
  has(flag: string): boolean;
  text(option: string): string | undefined;
  number(option: string): number | undefined;
}

export interface Command {
  /** Arguments after the name, as shown in help: `<id...>`. Default none. */
  takes?: string;
  /** Minimum and maximum number of arguments. Default none. */
  words?: readonly [least: number, most: number];
  describe: string;
  options?: Readonly<Record<string, Option>>;
  /** Command lines shown in help, each with its effect. */
  examples?: Readonly<Record<string, string>>;
  /** @returns the exit code; default 0. */
  run(input: Input): Promise<number | void>;
}

/** A wrong command line: printed with a hint, exit code 2. */
export class UsageProblem extends Error {}

/** @throws {UsageProblem} unless every argument is a UUID. */
export function idsOf({ words }: Input): string[] {
  const other = words.find((word) => !UUID.test(word));
  if (other !== undefined) throw new UsageProblem(`"${other}" is not an id: ids are UUIDs.`);
  return words.map((word) => word.toLowerCase());
}

export type Commands = Readonly<Record<string, Command>>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

const LEAD = 'npm run cli -- ';

function usage(name: string, { takes, options = {} }: Command): string {
  const flags = Object.entries(options).map(([option, { kind }]) => `[${spell(option, kind)}]`);
  return [name, takes, ...flags].filter(Boolean).join(' ');
}

function spell(option: string, kind: Option['kind']): string {
  return `--${option}${{ flag: '', text: ' <text>', number: ' <n>' }[kind]}`;
}

/** @param group first word of the commands to list. Default: all. */
export function helpOfAll(commands: Commands, group?: string): string {
  const shown = Object.entries(commands).filter(
    ([name]) => group === undefined || name.startsWith(`${group} `),
  );
  const lines = shown.map(([name, command]) => {
    const call = [name, command.takes].filter(Boolean).join(' ');
    return `  ${call.padEnd(34)} ${command.describe}`;
  });
  const title = `${LEAD}${group === undefined ? '' : `${group} `}<command>`;
  return [title, '', ...lines, '', `${LEAD}help <command> describes one command.`].join('\n');
}

export function helpOf(name: string, command: Command): string {
  const { describe, options = {}, examples = {} } = command;
  const rows = Object.entries(options).map(
    ([option, { kind, describe: about }]) => `  ${spell(option, kind).padEnd(20)} ${about}`,
  );
  const shown = Object.entries(examples).map(([line, about]) => `  ${LEAD}${line}\n      ${about}`);
  return [
    `${LEAD}${usage(name, command)}`,
    '',
    `  ${describe}`,
    ...(rows.length === 0 ? [] : ['', ...rows]),
    ...(shown.length === 0 ? [] : ['', ...shown]),
  ].join('\n');
}

export type Request =
  | { kind: 'run'; command: Command; input: Input }
  | { kind: 'help'; text: string }
  | { kind: 'problem'; text: string };

const isHelp = (word: string | undefined): boolean => word === '--help' || word === '-h';

export function readRequest(commands: Commands, line: readonly string[]): Request {
  const [first, ...rest] = line;
  if (first === undefined || isHelp(first)) return { kind: 'help', text: helpOfAll(commands) };
  if (first === 'help') {
    if (rest.length === 0) return { kind: 'help', text: helpOfAll(commands) };
    return readRequest(commands, [...rest, '--help']);
  }
  const name = [`${first} ${rest[0] ?? ''}`, first].find((known) => Object.hasOwn(commands, known));
  if (name === undefined) return unknown(commands, first, rest);
  const command = commands[name]!;
  const words = line.slice(name.split(' ').length);
  if (words.some(isHelp)) return { kind: 'help', text: helpOf(name, command) };
  return readInput(name, command, words);
}

function unknown(commands: Commands, first: string, [second]: readonly string[]): Request {
  const isGroup = Object.keys(commands).some((name) => name.startsWith(`${first} `));
  if (isGroup && (second === undefined || isHelp(second))) {
    const kind = second === undefined ? 'problem' : 'help';
    return { kind, text: helpOfAll(commands, first) };
  }
  const meant = isGroup ? `${first} ${second}` : first;
  const names = Object.keys(commands);
  const groups = names.map((name) => name.split(' ')[0]!);
  const hint = didYouMean(meant, [...names, ...new Set(groups), 'help', '--help']);
  const help = `${LEAD}help${isGroup ? ` ${first}` : ''}`;
  return {
    kind: 'problem',
    text: `There is no command "${meant}".${hint}\n${help} lists the commands.`,
  };
}

function readInput(name: string, command: Command, line: readonly string[]): Request {
  const { options = {}, words: [least, most] = [0, 0] } = command;
  const problem = (sentence: string): Request => ({
    kind: 'problem',
    text: `${sentence}\nUsage: ${LEAD}${usage(name, command)}`,
  });
  const known = Object.entries(options).map(([option, { kind }]) => [
    option,
    { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
  ]);
  const { tokens } = parseArgs({
    args: [...line],
    options: Object.fromEntries(known) as Record<string, { type: 'boolean' | 'string' }>,
    strict: false,
    tokens: true,
  });
  const words: string[] = [];
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      words.push(token.value);
      continue;
    }
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) return problem(stray(name, token.rawName, options));
    // A value that starts with a dash is the next option.
    const isNext = token.inlineValue !== true && token.value?.startsWith('-') === true;
    const value = isNext ? '' : (token.value ?? '');
    if (option.kind === 'flag' && token.value !== undefined) {
      return problem(`${token.rawName} takes no value.`);
    }
    if (option.kind === 'text' && value === '') return problem(`${token.rawName} needs a value.`);
    if (option.kind === 'number' && !/^[1-9]\d{0,8}$/.test(value)) {
      return problem(`${token.rawName} needs a whole number of at least 1, not "${value}".`);
    }
    given.set(token.name, value);
  }
  if (words.length > most) return problem(stray(name, words[most]!, options));
  if (words.length < least) return problem(`The command ${name} needs ${command.takes}.`);
  const text = (option: string): string | undefined => given.get(option);
  const number = (option: string): number | undefined =>
    given.has(option) ? Number(given.get(option)) : undefined;
  return {
    kind: 'run',
    command,
    input: { words, has: (flag) => given.has(flag), text, number },
  };
}

function stray(name: string, word: string, options: object): string {
  const hint = didYouMean(
    word,
    [...Object.keys(options), 'help'].map((option) => `--${option}`),
  );
  return `The command ${name} does not take "${word}".${hint}`;
}
