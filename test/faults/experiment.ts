/**
 * What experiments with faults have in common: how large they are, where their chance comes from, and what they say. Each is a
 * test file of a room of this folder; `npm run faults` runs it in the size that is asked for.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { SLOWNESS } from '../support/patience.ts';

/** A size of an experiment: what it is unless something else is asked for, as in CI, and what it is with `--full`. */
export interface Size {
  ci: number;
  full: number;
}

export interface Finding {
  /** What was done to what. */
  figure: string;
  /** What came of it, in a line with numbers. */
  result: string;
  /** Every way in which a promise was broken. */
  violations: readonly string[];
  /** What could not be tried, as its fault did not strike. Default: nothing. */
  unproven?: readonly string[];
}

/** What `npm run faults` tells the experiments it runs. */
export interface Orders {
  seed?: number | undefined;
  /** By experiment and size, in place of what a test run takes. */
  sizes: Record<string, Record<string, number>>;
  /** Every experiment is as large as by command, where `sizes` does not say otherwise. */
  full?: boolean | undefined;
  /** Of the trials of the gate: only at these units, and only these modes. */
  units?: readonly string[] | undefined;
  modes?: readonly string[] | undefined;
  /** Writes the list of units anew instead of comparing with it. */
  writesLabels?: boolean | undefined;
}

/** Set by `npm run faults`: `Orders` as JSON, and the file that takes the findings, one a line. */
export const ORDERS = JSON.parse(process.env['FAULTS_ORDERS'] ?? '{"sizes":{}}') as Orders;
const REPORT = process.env['FAULTS_REPORT'];

export const SEED = ORDERS.seed ?? randomInt(2 ** 31);

/** The sizes of an experiment in this run. */
export function sizesOf<Name extends string>(
  experiment: string,
  sizes: Readonly<Record<Name, Size>>,
): Record<Name, number> {
  const chosen = ORDERS.sizes[experiment] ?? {};
  const names = Object.keys(sizes) as Name[];
  const usual = (name: Name): number => sizes[name][ORDERS.full === true ? 'full' : 'ci'];
  return Object.fromEntries(names.map((name) => [name, chosen[name] ?? usual(name)])) as Record<
    Name,
    number
  >;
}

/** A source of chance that gives the same for the same seed. */
export function chance(seed = SEED): { integer(below: number): number; next(): number } {
  let state = seed || 1;
  const next = (): number => {
    // xorshift32 (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return { next, integer: (below) => Math.floor(next() * below) };
}

/** Tells a finding, with the seed that leads to it again, and fails the test when a promise was broken or not proven. */
export function report(t: TestContext, finding: Finding): void {
  const { figure, result, violations, unproven = [] } = finding;
  t.diagnostic(`${figure}: ${result} (seed ${SEED})`);
  // Each test file is a process of its own.
  const experiment = path.basename(process.argv[1]!, '.test.js');
  if (REPORT !== undefined)
    appendFileSync(REPORT, `${JSON.stringify({ experiment, unproven, ...finding, seed: SEED })}\n`);
  assert.deepEqual(violations, [], `${violations.length} violations, seed ${SEED}`);
  const speed = `a process started ${SLOWNESS} times slower than where the deadlines were made`;
  assert.deepEqual(unproven, [], `${unproven.length} not proven; ${speed}; seed ${SEED}`);
}
