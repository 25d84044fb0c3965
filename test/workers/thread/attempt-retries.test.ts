/**
 * What an attempt leaves to the next one: when that comes, what it is charged, and what it finds done.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS } from '../../../base/errors.ts';
import { Reject, Retry } from '../../../jobs/framework/errors.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import { accepted, database, live, rowOf, scope } from '../../support/threads/attempts.ts';

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
