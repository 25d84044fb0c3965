/**
 * How an attempt at a task begins and ends, and what it may write.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { describeError } from '../../../base/telemetry/describe-error.ts';
import { markUnavailable } from '../../../db/stores/unavailable.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { startTask } from '../../../db/tasks/attempts.ts';
import { cacheValue } from '../../../jobs/common/cache-value.ts';
import { Reject } from '../../../jobs/framework/errors.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import { request, succeedTask } from '../../support/tasks.ts';
import {
  accepted,
  database,
  live,
  rowOf,
  scope,
  told,
  transient,
} from '../../support/threads/attempts.ts';

test('a task that returns is done, with its result in Postgres, which Redis need not have too', async () => {
  const job = await accepted(async (ctx) => `attempt ${ctx.job.attempt}`);
  const outcome = await attempt(job, scope, live);
  assert.ok(outcome.kind === 'succeeded');
  assert.equal(outcome.result, 'null');
  const { status, result, attempts } = await rowOf(job);
  assert.deepEqual(
    { status, result, attempts },
    { status: 'done', result: 'attempt 1', attempts: 1 },
  );
});

test('tasks that begin in one turn take one statement to start and one to settle', async (t) => {
  const jobs = [];
  for (let i = 0; i < 5; i++) jobs.push(await accepted(async (ctx) => ctx.job.id));
  const { mock } = t.mock.method(database.pool, 'query');
  const ends = await Promise.all(jobs.map((job) => attempt(job, scope, live)));
  assert.equal(mock.callCount(), 2);
  assert.ok(ends.every(({ kind }) => kind === 'succeeded'));
  for (const job of jobs) assert.equal((await rowOf(job)).result, job.id);
});

test('a payload that does not fit ends the task before it runs', async () => {
  for (const payload of ['{"word":1}', '[]', 'null']) {
    const job = await accepted(() => assert.fail('it ran'), payload);
    const outcome = await attempt(job, scope, live);
    assert.equal(outcome.kind === 'failed' && outcome.code, 'TASK_PAYLOAD_INVALID');
    const { status, error_code } = await rowOf(job);
    assert.deepEqual([status, error_code], ['error', 'TASK_PAYLOAD_INVALID']);
  }
});

test('a durable task runs with what Postgres has, whatever stands in the queue', async () => {
  const job = await accepted(async () => 'it ran');
  const outcome = await attempt({ ...job, payload: '{"canary' }, scope, live);
  assert.equal(outcome.kind, 'succeeded');
  assert.equal((await rowOf(job)).result, 'it ran');
});

test('a payload that is no JSON ends a task that is not durable; what it says reaches nobody', async () => {
  const job = transient(() => assert.fail('it ran'));
  const outcome = await attempt({ ...job, payload: '{"canary' }, scope, live);
  assert.equal(outcome.kind === 'failed' && outcome.code, 'TASK_PAYLOAD_INVALID');
  assert.doesNotMatch(JSON.stringify(outcome), /canary/);
});

test('a result that does not fit fails the task and is not stored', async () => {
  const job = await accepted(async () => ({ not: 'a string' }));
  const outcome = await attempt(job, scope, live);
  assert.equal(outcome.kind === 'failed' && outcome.code, 'TASK_FAILED');
  const { status, result } = await rowOf(job);
  assert.deepEqual([status, result], ['error', null]);
});

test('a task this process does not know fails', async () => {
  const row = request({ name: 'test.unheard-of' });
  await acceptTask(database.pool, row);
  const job = { ...(await accepted(async () => null)), id: row.id, task: row.name };
  const outcome = await attempt(job, scope, live);
  assert.equal(outcome.kind === 'failed' && outcome.code, 'TASK_UNKNOWN');
});

test('a task says what it was made from, which may be newer than what was asked for', async () => {
  const job = await accepted((ctx) =>
    ctx.transaction('save', async (tx) => {
      await tx.setInputHash('read');
      return 'saved';
    }),
  );
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  const { rows } = await database.pool.query<{ input_hash: string }>(
    'SELECT input_hash FROM ai.tasks WHERE id = $1',
    [job.id],
  );
  assert.deepEqual(rows, [{ input_hash: 'read' }]);
});

test('a task that is finished or was never accepted does not run', async () => {
  const job = await accepted(() => assert.fail('it ran'));
  const started = await startTask(database.pool, job.id, 0);
  await succeedTask(database.pool, { id: job.id, epoch: started!.epoch }, '"elsewhere"');
  assert.equal((await attempt(job, scope, live)).kind, 'obsolete');
  assert.equal((await attempt({ ...job, id: randomUUID() }, scope, live)).kind, 'obsolete');
  assert.equal((await rowOf(job)).result, 'elsewhere');
});

test('a task that was put off meanwhile is released until its time', async () => {
  const job = await accepted(() => assert.fail('it ran'));
  await database.pool.query(
    `UPDATE ai.tasks SET run_at = now() + interval '1 minute' WHERE id = $1`,
    [job.id],
  );
  const outcome = await attempt(job, scope, live);
  assert.ok(outcome.kind === 'released' && outcome.delayMs > 50_000, JSON.stringify(outcome));
  assert.deepEqual([(await rowOf(job)).status, (await rowOf(job)).attempts], ['queued', 0]);
});

test('a start that was cut short shows in the number of its delivery, not of its attempt', async () => {
  const job = await accepted(async ({ job: { delivery, attempt: n } }) => `${delivery} ${n}`);
  await startTask(database.pool, job.id, 0);
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  assert.equal((await rowOf(job)).result, '2 1');
});

test('an owner overtaken midway writes neither effect, step nor outcome', async () => {
  for (const end of [
    async () => 'done',
    async () => Promise.reject(new Error('broken')),
    async () => Promise.reject(new Reject('TASK_FAILED', 'no')),
  ]) {
    const job = await accepted(async (ctx) => {
      await startTask(database.pool, job.id, 0);
      await ctx.transaction('effect', () => assert.fail('the effect was applied')).catch(() => 0);
      await ctx.step('step', async () => 'output').catch(() => 0);
      return end();
    });
    assert.equal((await attempt(job, scope, live)).kind, 'released');
    const { status, attempts } = await rowOf(job);
    assert.deepEqual([status, attempts], ['running', 0]);
    const { rowCount } = await database.pool.query('SELECT FROM ai.task_steps WHERE task_id = $1', [
      job.id,
    ]);
    assert.equal(rowCount, 0);
  }
});

test('a cache that refuses a value does not fail the work that is done; one that is away is waited for', async (t) => {
  const writing = () =>
    accepted(async (ctx) => {
      await cacheValue(ctx, 'key', 1, 'value', 60);
      return 'done';
    });
  const set = t.mock.method(scope.resources.cache, 'set');
  const noperm = new Error('NOPERM this user has no permissions to run the command');
  set.mock.mockImplementation(async () => noperm);
  assert.equal((await attempt(await writing(), scope, live)).kind, 'succeeded');
  const logged = told.at(-1);
  assert.ok(logged?.type === 'log');
  assert.deepEqual(logged.fields['error'], describeError(noperm));
  set.mock.mockImplementation(async () => {
    throw markUnavailable(new Error('MISCONF Errors writing to the AOF file'));
  });
  assert.equal((await attempt(await writing(), scope, live)).kind, 'released');
});
