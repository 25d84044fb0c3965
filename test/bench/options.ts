/**
 * The command line.
 */
import { parseArgs } from 'node:util';
import { closest } from '../../base/options/closest.ts';
import type { Row } from './bench.ts';
import { QUICK_ROWS, ROWS } from './rows/index.ts';

export interface Options {
  rows: readonly Row[];
  rounds: number;
  scale: number;
  /** File that takes the result as JSON. */
  json: string | undefined;
  /** Text to print instead of measuring. */
  print: string | undefined;
}

export const HELP = `Measures this queue beside BullMQ and Celery on one Redis, durable tasks beside pg-boss and graphile-worker on one Postgres,
and the API beside a bare server. From \`npm run\`, options follow a \`--\`.

  --rows a,b     only these rows (see --list)
  --quick        the most telling rows, in about a minute
  --rounds N     measured rounds of each side, after one that does not count (5)
  --scale X      factor on the number of jobs, for trying things out (1)
  --json FILE    writes the result as JSON too; "-" for standard output, in place of the table
  --list         prints the rows
  --help         prints this
`;

/** A command line that cannot be followed; the message says why. */
export class UsageError extends Error {}

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  const rounds = Number(values.rounds ?? 5);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError('--rounds is a whole number, 1 or more.');
  const scale = Number(values.scale ?? 1);
  if (!(scale > 0 && scale <= 10)) throw new UsageError('--scale is a number above 0, at most 10.');
  return {
    rows: chooseRows(values.rows, values.quick),
    rounds,
    scale,
    json: values.json,
    print: values.help ? HELP : values.list ? listRows() : undefined,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rows: { type: 'string' },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        scale: { type: 'string' },
        json: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function chooseRows(names: string | undefined, quick: boolean): readonly Row[] {
  if (names === undefined) return quick ? QUICK_ROWS : ROWS;
  const known = ROWS.map((row) => row.name);
  for (const name of names.split(',')) {
    if (known.includes(name)) continue;
    const meant = closest(name, known);
    const hint =
      meant === undefined ? `The rows are ${known.join(', ')}.` : `Did you mean ${meant}?`;
    throw new UsageError(`There is no row "${name}". ${hint}`);
  }
  return ROWS.filter((row) => names.split(',').includes(row.name));
}

function listRows(): string {
  const width = Math.max(...ROWS.map((row) => row.name.length));
  return ROWS.map(
    (row) =>
      `${row.name.padEnd(width)}  ${row.what}${QUICK_ROWS.includes(row) ? ' (quick)' : ''}\n`,
  ).join('');
}
