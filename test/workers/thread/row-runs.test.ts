/**
 * What ran is what the row says, whatever the queue's job is called, and it touches only what its owner owns.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import { accepted, database, live, rowOf, scope, told } from '../../support/threads/attempts.ts';
import { request } from '../../support/tasks.ts';

describe('a job that the queue has', () => {
  test('under the name of another task runs what its row says', async () => {
    const runs: string[] = [];
    const job = await accepted(async ({ job: { queue } }) => {
      runs.push(`row, ${queue}`);
      return 'from the row';
    });
    const other = await accepted(async () => {
      runs.push('other');
      return 'from the queue';
    });
    const outcome = await attempt({ ...job, task: other.task }, scope, live);
    assert.equal(outcome.kind, 'succeeded');
    assert.deepEqual(runs, ['row, default']);
    assert.equal((await rowOf(job)).result, 'from the row');
    const line = told.find((message) => message.type === 'log' && message.id === job.id);
    assert.deepEqual(line?.type === 'log' && line.fields, {
      queuedAs: other.task,
      queuedIn: 'default',
    });
  });

  test('in another queue runs in the queue of its row', async () => {
    const job = await accepted(async ({ job: { queue } }) => queue);
    await attempt({ ...job, queue: 'elsewhere' }, scope, live);
    assert.equal((await rowOf(job)).result, 'default');
  });

  test('under a name no task has runs what its row says', async () => {
    const job = await accepted(async () => 'from the row');
    await attempt({ ...job, task: 'test.unheard-of' }, scope, live);
    assert.equal((await rowOf(job)).result, 'from the row');
  });

  test('is decided by the policy of the task that ran', async () => {
    const job = await accepted(() => Promise.reject(new Error('broken')));
    const outcome = await attempt({ ...job, task: 'test.unheard-of' }, scope, live);
    assert.equal(outcome.kind === 'retry' && outcome.delayMs, 1000);
  });

  test('for a row that names no task fails in the row too', async () => {
    const other = await accepted(() => assert.fail('it ran'));
    const row = request({ name: 'test.unheard-of' });
    await acceptTask(database.pool, row);
    const outcome = await attempt({ ...other, id: row.id }, scope, live);
    assert.equal(outcome.kind === 'failed' && outcome.code, 'TASK_UNKNOWN');
    const { status, error_code } = await rowOf({ ...other, id: row.id });
    assert.deepEqual([status, error_code], ['error', 'TASK_UNKNOWN']);
  });

  test('under a name no task has and without a row fails as unknown', async () => {
    const other = await accepted(() => assert.fail('it ran'));
    const stranger = { ...other, id: randomUUID(), task: 'test.unheard-of' };
    const outcome = await attempt(stranger, scope, live);
    assert.equal(outcome.kind === 'failed' && outcome.code, 'TASK_UNKNOWN');
  });
});
