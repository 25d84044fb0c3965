/**
 * Random values and objects that misbehave, thrown, logged, reported and returned by tasks: no thread dies.
 */
import { test } from 'node:test';
import { useOddValues } from '../../support/threads/odd-jobs.ts';
import { report, SEED, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('odd-values', {
  /** Values, each used in four ways. */
  values: { ci: 250, full: 2500 },
});

test('no value ends a thread', async (t) => {
  const seeds = Array.from({ length: SIZES.values }, (_, index) => (SEED % 1_000_000) + index);
  await useOddValues(t, seeds);
  report(t, {
    figure: `${4 * SIZES.values} odd values thrown, logged, reported and returned`,
    result: 'each job ended, no thread died, the neighbour ran once',
    violations: [],
  });
});
