/** Bugs planted into what lets graphs go on: random graphs must notice each. */
import { test } from 'node:test';
import { createTestDatabase } from '../../support/stores/postgres.ts';
import { report, SEED, sizesOf } from '../experiment.ts';
import { choices } from './chance.ts';
import { plant, PLANTED } from './planted.ts';
import { playGraphs } from './play.ts';

const SIZES = sizesOf('graph-mutants', {
  /** Most graphs that may pass before a bug is noticed. */
  tries: { ci: 1500, full: 5000 },
});

test('random graphs notice every bug planted into what lets graphs go on', async (t) => {
  const violations: string[] = [];
  let most = 0;
  for (const [index, bug] of PLANTED.entries()) {
    const database = await createTestDatabase();
    try {
      await plant(database.pool, bug);
      const chance = choices(SEED + index);
      const end = bug.end?.(chance);
      const means = { pool: database.pool, chance, always: bug.always, ...(end && { end }) };
      const { graphs, violations: seen } = await playGraphs(means, SIZES.tries);
      t.diagnostic(`${bug.title}: after ${graphs} graphs, ${seen[0]?.slice(0, 200) ?? 'nothing'}`);
      if (seen.length === 0) violations.push(`"${bug.title}" survived ${graphs} graphs`);
      most = Math.max(most, graphs);
    } finally {
      await database.drop();
    }
  }
  report(t, {
    figure: `${PLANTED.length} planted bugs, random graphs until each is noticed`,
    result: `${PLANTED.length - violations.length} noticed, after ${most} graphs at most`,
    violations,
  });
});
