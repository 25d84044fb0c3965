import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { startTask, succeedTask } from '../../../db/tasks/attempts.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { ERRORS } from '../../../base/errors.ts';
import { cacheValue } from '../../../jobs/cache-value.ts';
import { Reject, Retry } from '../../../jobs/framework/errors.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import {
  accepted,
  database,
  live,
  scope,
  rowOf,
  transient,
  told,
} from '../../support/threads/attempts.ts';
import { request } from '../../support/tasks.ts';

test('a task that returns is done, with its result in Postgres, which Redis need not have too', async () => {
  const job = await accepted(async (ctx) => `attempt ${ctx.job.attempt}`);
  const outcome = await attempt(job, scope, live);
  assert.ok(outcome.kind === 'succeeded' && outcome.durationMs > 0);
  assert.equal(outcome.result, 'null');
  const { status, result, attempts } = await rowOf(job);
  assert.deepEqual(
    { status, result, attempts },
    { status: 'done', result: 'attempt 1', attempts: 1 },
  );
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

test('a retry gets the stored outputs of steps and transactions, null ones too', async () => {
  const runs = { step: 0, nothing: 0, effect: 0 };
  const job = await accepted(async (ctx) => {
    const output = await ctx.step('step', async () => ({ run: ++runs.step, text: '島' }));
    const nothing = await ctx.step('nothing', async () => (runs.nothing++, null));
    const effect = await ctx.transaction('effect', async () => ++runs.effect);
    assert.deepEqual([output, nothing, effect], [{ run: 1, text: '島' }, null, 1]);
    if (ctx.job.attempt === 1) throw new Error('after the work');
    return 'done';
  });
  assert.equal((await attempt(job, scope, live)).kind, 'retry');
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  assert.deepEqual(runs, { step: 1, nothing: 1, effect: 1 });
});

test('a retry is in Postgres before the queue hears of it: charged, queued, with its time', async () => {
  const job = await accepted(async () => {
    throw new Retry('LLM_UNAVAILABLE', 'Please wait.', { atLeastMs: 30_000 });
  });
  assert.deepEqual(await attempt(job, scope, live), {
    kind: 'retry',
    delayMs: 30_000,
    attempts: 1,
    code: 'LLM_UNAVAILABLE',
    message: 'Please wait.',
  });
  const { status, attempts, error_code } = await rowOf(job);
  assert.deepEqual([status, attempts, error_code], ['queued', 1, 'LLM_UNAVAILABLE']);
  const { rows } = await database.pool.query<{ seconds: number }>(
    'SELECT extract(epoch FROM run_at - now())::int AS seconds FROM ai.tasks WHERE id = $1',
    [job.id],
  );
  assert.ok(Math.abs(rows[0]!.seconds - 30) <= 2);
});

test('attempts are counted by Postgres, whatever the queue remembers, and the last one fails', async () => {
  const job = await accepted(async () => {
    throw new Error('canary');
  });
  const outcomes = [];
  for (let run = 0; run < 3; run++) outcomes.push(await attempt(job, scope, live));
  const summary = outcomes.map((outcome) =>
    outcome.kind === 'retry'
      ? [outcome.kind, outcome.attempts, outcome.delayMs]
      : outcome.kind === 'failed'
        ? [outcome.kind, outcome.attempts, outcome.message]
        : [outcome.kind],
  );
  assert.deepEqual(summary, [
    ['retry', 1, 1000],
    ['retry', 2, 3000],
    ['failed', 3, ERRORS.TASK_FAILED.message],
  ]);
  const { status, attempts } = await rowOf(job);
  assert.deepEqual([status, attempts], ['error', 3]);
  assert.equal((await attempt(job, scope, live)).kind, 'obsolete');
});

test('what the queue has charged and Postgres has not is kept', async () => {
  const job = await accepted(async (ctx) => `attempt ${ctx.job.attempt}`);
  const outcome = await attempt({ ...job, attempts: 2 }, scope, live);
  assert.equal(outcome.kind, 'succeeded');
  assert.equal((await rowOf(job)).result, 'attempt 3');
});

test('a retry is planned for as long as the task may be retried, from when it was last asked for', async () => {
  const job = await accepted(async () => {
    throw new Error('again');
  });
  const askedAgo = (interval: string) =>
    database.pool.query('UPDATE ai.tasks SET requested_at = now() - $2::interval WHERE id = $1', [
      job.id,
      interval,
    ]);
  // The first retry follows after a second, and 60 s are all there is (see `accepted`).
  await askedAgo('58 seconds');
  assert.equal((await attempt(job, scope, live)).kind, 'retry');
  await askedAgo('59 seconds');
  assert.equal((await attempt(job, scope, live)).kind, 'failed');
});

test('a task that asks for another attempt says when and why, and is charged for it', async () => {
  const job = await accepted(async (ctx) => ctx.retry({ countdownMs: 7, reason: 'Not yet.' }));
  assert.deepEqual(await attempt(job, scope, live), {
    kind: 'retry',
    delayMs: 7,
    attempts: 1,
    code: 'TASK_RETRIED',
    message: 'Not yet.',
  });
});

test('a failure whose words Postgres refuses is charged and told in those of the catalogue', async () => {
  const words = 'bad\u0000word';
  const job = await accepted(async ({ job: { attempt: n } }) => {
    throw n === 1 ? new Retry('TASK_RETRIED', words) : new Reject('LLM_UNAVAILABLE', words);
  });
  for (const kind of ['retry', 'failed'] as const) {
    const outcome = await attempt(job, scope, live);
    assert.ok(outcome.kind === kind, JSON.stringify(outcome));
    const { code, message, cause } = outcome;
    assert.deepEqual([code, message], ['TASK_FAILED', ERRORS.TASK_FAILED.message]);
    assert.equal(cause?.message, words);
  }
  const { status, attempts, error_message } = await rowOf(job);
  assert.deepEqual([status, attempts, error_message], ['error', 2, ERRORS.TASK_FAILED.message]);
});

test('a countdown that is none is an error of the task, and charged', async () => {
  for (const countdownMs of [Number.NaN, Infinity, 1e18, -1]) {
    const job = await accepted(async (ctx) => ctx.retry({ countdownMs }));
    const outcome = await attempt(job, scope, live);
    assert.ok(outcome.kind === 'retry', JSON.stringify(outcome));
    assert.match(outcome.cause?.message ?? '', /countdownMs/);
    assert.equal((await rowOf(job)).attempts, 1);
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
  assert.ok(logged?.type === 'log' && logged.fields['error'] === noperm);
  set.mock.mockImplementation(async () => {
    throw new Error('MISCONF Errors writing to the AOF file');
  });
  assert.equal((await attempt(await writing(), scope, live)).kind, 'released');
});
