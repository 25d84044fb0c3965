/**
 * The command line of `npm run faults`.
 */
import { parseArgs } from 'node:util';
import { didYouMean } from '../../../base/options/closest.ts';
import type { Orders } from '../experiment.ts';
import { findExperiments, type Experiment } from './experiments.ts';
import { knownUnits } from '../matrix/labels.ts';
import { ALL_MODES, isMode, MODES } from '../matrix/modes.ts';

export interface Options {
  experiments: readonly Experiment[];
  orders: Orders;
  /** Whether all of them run in the size that every change must pass. */
  isCi: boolean;
  /** Whether docs/reliability.md is to take the findings. */
  write: boolean;
  help: boolean;
}

/** In place of names: what `.ci/run` runs. */
const CI = 'ci';

/** A command line that cannot be followed; the message says why. */
export class UsageError extends Error {}

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const all = findExperiments();
  const sizes = [...new Set(all.flatMap((experiment) => experiment.sizes.map(({ name }) => name)))];
  const { values, positionals } = parse(args, sizes);
  const isCi = positionals.includes(CI);
  if (isCi && (positionals.length > 1 || values['full'] === true)) {
    throw new UsageError(
      `"${CI}" is every experiment in the size of CI: it takes no other name and no --full.`,
    );
  }
  const experiments = isCi ? all : choose(all, positionals);
  const modes = listOf(values['modes']);
  const units = listOf(values['units']);
  for (const mode of modes ?? []) {
    if (!isMode(mode)) throw new UsageError(`There is no mode ${mode}: ${ALL_MODES.join(', ')}.`);
  }
  const labels = knownUnits().map(({ label }) => label);
  for (const unit of units ?? []) {
    const isKnown = labels.includes(unit);
    if (!isKnown) throw new UsageError(`There is no unit "${unit}".${didYouMean(unit, labels)}`);
  }
  const orders: Orders = {
    seed: values['seed'] === undefined ? undefined : numberOf('seed', values['seed']),
    full: values['full'] === true,
    units,
    modes,
    writesLabels: values['labels'] === true,
    sizes: {},
  };
  for (const size of experiments.flatMap((experiment) => experiment.sizes)) {
    const chosen = values[size.name];
    if (chosen === undefined) continue;
    (orders.sizes[size.experiment] ??= {})[size.name] = numberOf(size.name, chosen);
  }
  return {
    experiments,
    orders,
    isCi,
    write: values['write'] === true,
    help: values['help'] === true,
  };
}

function parse(args: readonly string[], sizes: readonly string[]) {
  const numbers = Object.fromEntries(sizes.map((name) => [name, { type: 'string' as const }]));
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const given = { seed: text, units: text, modes: text };
  const options = { ...numbers, ...given, full: flag, labels: flag, write: flag, help: flag };
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Record<string, string | boolean | undefined>, positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function choose(all: readonly Experiment[], names: readonly string[]): readonly Experiment[] {
  const known = all.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(`There is no experiment "${name}": there are ${known.join(', ')}.`);
    }
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function listOf(value: string | boolean | undefined): string[] | undefined {
  return typeof value === 'string' ? value.split(',').map((item) => item.trim()) : undefined;
}

function numberOf(name: string, value: string | boolean): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new UsageError(`--${name} is a whole number, 0 or more.`);
  }
  return number;
}

export function helpText(): string {
  const experiments = findExperiments().flatMap(({ name, tests, sizes }) => [
    `  ${name}`,
    ...tests.map((title) => `      ${title}`),
    ...sizes.map(
      (size) =>
        `      --${size.name} N`.padEnd(28) +
        `${size.ci} in CI, ${size.full} with --full. ${size.note}`,
    ),
  ]);
  const modes = ALL_MODES.map((mode) => `  ${mode}  ${MODES[mode].title}`);
  return `Breaks what can break around the application, and checks that its promises hold (docs/reliability.md).
From npm, options follow a "--": npm run faults -- matrix --modes B,A

  npm run faults -- ci    every experiment in the size that each change must pass, two at a time

Experiments, all of them unless some are named:
${experiments.join('\n')}

  --full          as large as by command: every unit in every mode
  --seed N        the seed of an earlier run: the same order, the same chance
  --units A,B     matrix: only at these units, as test/faults/matrix/labels.json calls them
  --modes B,A     matrix: only these modes
  --labels        matrix: writes test/faults/matrix/labels.json anew
  --write         writes the findings into docs/reliability.md
  --help          prints this

Modes, what happens at a unit:
${modes.join('\n')}
`;
}
