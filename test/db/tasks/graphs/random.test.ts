/** A few of the random graphs of `npm run faults -- graphs`. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { choices } from '../../../faults/graphs/chance.ts';
import { playGraphs } from '../../../faults/graphs/play.ts';
import { createTestDatabase } from '../../../support/stores/postgres.ts';

const GRAPHS = 20;

test('random graphs end as their compositions say', async (t) => {
  const database = await createTestDatabase();
  t.after(() => database.drop());
  const seed = randomInt(2 ** 31);
  const chance = choices(seed);
  const { violations } = await playGraphs({ pool: database.pool, chance }, GRAPHS);
  assert.deepEqual(violations, [], `npm run faults -- graphs --graphs ${GRAPHS} --seed ${seed}`);
});
