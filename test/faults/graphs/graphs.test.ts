/** Random graphs of tasks, whatever happens to those who run them: each ends as its composition says. */
import { test } from 'node:test';
import { createTestDatabase } from '../../support/stores/postgres.ts';
import { report, SEED, sizesOf } from '../experiment.ts';
import { choices } from './chance.ts';
import { playGraphs } from './play.ts';

const SIZES = sizesOf('graphs', {
  /** Four at a time. */
  graphs: { ci: 200, full: 2000 },
});

/** What must have happened, lest the run prove nothing. */
const EVENTS = [
  'checked',
  'came late',
  'crashed',
  'delivered twice',
  'failed',
  'followed',
  'graphs revoked',
  'queued again',
  'recovered',
  'refused',
  'released and lost',
  'reopened',
  'revoked',
  'settled by an old release',
  'succeeded',
];

test('every graph ends as its composition says, whatever happens to those who run it', async (t) => {
  const database = await createTestDatabase();
  t.after(() => database.drop());
  const startedMs = performance.now();
  const means = { pool: database.pool, chance: choices(SEED) };
  const { graphs, tasks, counts, violations } = await playGraphs(means, SIZES.graphs);
  const seconds = (performance.now() - startedMs) / 1000;
  const events = Object.entries(counts)
    .toSorted(([one], [other]) => one.localeCompare(other, 'en'))
    .map(([event, times]) => `${times} ${event}`);
  const missing = EVENTS.filter((event) => counts[event] === undefined);
  const again = `npm run faults -- graphs --graphs ${SIZES.graphs} --seed ${SEED}`;
  if (violations.length > 0) t.diagnostic(`The same choices again: ${again}`);
  report(t, {
    figure: `${graphs} random graphs of ${tasks} tasks`,
    result: `${(graphs / seconds).toFixed(1)} a second; ${events.join(', ')}`,
    violations,
    unproven: violations.length > 0 ? [] : missing.map((event) => `never happened: ${event}`),
  });
});
