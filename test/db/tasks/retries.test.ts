/**
 * A row keeps the reasons of its last retries, written by the statement that settles each.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRetries, startTask } from '../../../db/tasks/attempts.ts';
import { reopenTask } from '../../../db/tasks/requeue.ts';
import { accept, begin, database, restart, succeed } from '../../support/durable.ts';
import { failTask, retryTask } from '../../support/tasks.ts';

const REASON = { code: 'LLM_UNAVAILABLE', message: 'The language model did not answer.' } as const;

test('a retry leaves its time, attempt, code and message, the newest last', async () => {
  const first = await begin();
  assert.deepEqual(await findRetries(database.pool, first.id), []);
  await retryTask(database.pool, first, REASON, 0);
  const message = 'x'.repeat(2000);
  await retryTask(database.pool, await restart(first.id), { code: 'TASK_FAILED', message }, 0);
  const kept = await findRetries(database.pool, first.id);
  assert.deepEqual(
    kept.map(({ attempt, code, message: text }) => [attempt, code, text]),
    [
      [1, REASON.code, REASON.message],
      [2, 'TASK_FAILED', 'x'.repeat(500)],
    ],
  );
  for (const { at } of kept) assert.ok(Math.abs(Date.parse(at) - Date.now()) < 600_000, at);
});

test('ten are kept', async () => {
  const { id } = await accept();
  for (let i = 1; i <= 13; i++) {
    await retryTask(database.pool, await restart(id), { ...REASON, message: `${i}` }, 0);
  }
  const kept = await findRetries(database.pool, id);
  assert.deepEqual(
    kept.map(({ message }) => message),
    ['4', '5', '6', '7', '8', '9', '10', '11', '12', '13'],
  );
});

test('an attempt that overran its hard limit, which only the queue has charged, is one of them', async () => {
  const { id } = await begin();
  await startTask(database.pool, id, 1);
  await startTask(database.pool, id, 1);
  const kept = await findRetries(database.pool, id);
  assert.deepEqual(
    kept.map(({ attempt, code }) => [attempt, code]),
    [[1, 'TASK_TIME_LIMIT']],
  );
});

test('they outlive the end of the task and its requeue', async () => {
  for (const end of ['done', 'failed'] as const) {
    const first = await begin();
    await retryTask(database.pool, first, REASON, 0);
    const second = await restart(first.id);
    if (end === 'done') await succeed(second);
    else {
      await failTask(database.pool, second, REASON);
      assert.equal(await reopenTask(database.pool, first.id, 0), 'reopened');
    }
    assert.equal((await findRetries(database.pool, first.id)).length, 1);
  }
});
