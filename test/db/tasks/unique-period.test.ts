/** A key that is unique for a period: the same task for every call in it, ended or not. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { revokeTasks } from '../../../db/tasks/ends.ts';
import { accept, begin, database, succeed } from '../../support/durable.ts';
import { failTask } from '../../support/tasks.ts';

const HOUR_MS = 3_600_000;
const unique = () => ({ dedupeKey: `key:${randomUUID()}`, uniqueForMs: HOUR_MS });
const failure = { code: 'TASK_FAILED', message: 'No.' } as const;

const ENDS = {
  done: (claim: { id: string; epoch: string }) => succeed(claim),
  error: (claim: { id: string; epoch: string }) => failTask(database.pool, claim, failure),
  revoked: ({ id }: { id: string }) => revokeTasks(database.pool, [id]),
};

for (const [status, end] of Object.entries(ENDS)) {
  test(`a call within the period gets the task that has ended: ${status}`, async () => {
    const asked = unique();
    const claim = await begin(asked);
    assert.deepEqual(await accept(asked), {
      id: claim.id,
      status: 'running',
      outcome: 'unfinished',
    });
    await end(claim);
    assert.deepEqual(await accept(asked), { id: claim.id, status, outcome: 'repeated' });
    const { rows } = await database.pool.query('SELECT id FROM ai.tasks WHERE dedupe_key = $1', [
      asked.dedupeKey,
    ]);
    assert.deepEqual(rows, [{ id: claim.id }], 'nothing else was stored');
  });
}

test('the period counts from acceptance, and a call after it is a new task', async () => {
  const asked = unique();
  const claim = await begin(asked);
  await succeed(claim);
  await database.pool.query(
    `UPDATE ai.tasks SET created_at = now() - interval '61 minutes' WHERE id = $1`,
    [claim.id],
  );
  const next = await accept(asked);
  assert.deepEqual([next.outcome, next.id === claim.id], ['created', false]);
});

test('a call without the option is a new task as soon as the first has ended', async () => {
  const { dedupeKey } = unique();
  await succeed(await begin({ dedupeKey }));
  assert.equal((await accept({ dedupeKey })).outcome, 'created');
});

test('calls at the same time after the end get the same task', async () => {
  const asked = unique();
  const claim = await begin(asked);
  await succeed(claim);
  const answers = await Promise.all(Array.from({ length: 20 }, () => accept(asked)));
  assert.deepEqual(new Set(answers.map(({ id }) => id)), new Set([claim.id]));
});
