/**
 * What a task may do with Postgres outside `ctx.transaction`: read, and take numbers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attempt } from '../../../workers/thread/attempt.ts';
import { accepted, live, rowOf, scope } from '../../support/threads/attempts.ts';

for (const statement of [
  'CREATE TABLE escaped (id int)',
  `UPDATE ai.tasks SET error_message = 'escaped'`,
  `SELECT nextval('ai.embedding_version')`,
  'SELECT FROM ai.tasks FOR UPDATE',
]) {
  test(`a task that runs "${statement}" on ctx.db fails at once`, async () => {
    const job = await accepted(async (ctx) => ctx.db.query(statement));
    assert.equal((await attempt(job, scope, live)).kind, 'failed');
    const { status, attempts, error_message: message } = await rowOf(job);
    assert.deepEqual(
      { status, attempts, message },
      { status: 'error', attempts: 1, message: 'ctx.db is read-only. Write in ctx.transaction.' },
    );
  });
}

test('a task reads what its transaction has committed', async () => {
  const job = await accepted(async (ctx) => {
    await ctx.transaction('write', (tx) => tx.query('CREATE TABLE written AS SELECT 1 AS n'));
    const { rows } = await ctx.db.query<{ n: number }>('SELECT n FROM written');
    return String(rows[0]!.n);
  });
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  assert.equal((await rowOf(job)).result, '1');
});

test('numbers of a sequence only grow', async () => {
  const job = await accepted(async (ctx) => {
    const first = await ctx.nextval('ai.embedding_version');
    return (await ctx.nextval('ai.embedding_version')) > first ? 'greater' : 'not greater';
  });
  await attempt(job, scope, live);
  assert.equal((await rowOf(job)).result, 'greater');
});
