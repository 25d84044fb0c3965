import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { createPool } from '../../db/stores/postgres.ts';
import { StaleEpochError } from '../../db/tasks/fence.ts';
import { freePort } from '../../db/embedded/host/port.ts';
import { AppError, ERRORS } from '../../base/errors.ts';
import { readPolicy, type Backoff } from '../../jobs/framework/policy.ts';
import { Reject, Retry } from '../../jobs/framework/errors.ts';
import { decide } from '../../workers/retry-decision.ts';

const backoff: Backoff = { delayMs: 1000, factor: 2, maxMs: 5000, jitter: 'none' };
const policy = readPolicy({ name: 'test', maxRetries: 3, backoff });

/** Asked for at 0, and charged this many attempts. */
const after = (attempts: number) => ({ attempts, askedMs: 0 });

test('an error is tried again as long as retries are left, the last one fails', () => {
  const error = new AppError('LLM_UNAVAILABLE');
  const { code, message } = error;
  const decisions = [0, 1, 2, 3, 4].map((attempts) => decide(error, after(attempts), policy));
  assert.deepEqual(decisions, [
    { kind: 'retry', delayMs: 1000, code, message },
    { kind: 'retry', delayMs: 2000, code, message },
    { kind: 'retry', delayMs: 4000, code, message },
    { kind: 'failed', code, message },
    { kind: 'failed', code, message },
  ]);
});

test('a rejected task fails at once', () => {
  const error = new Reject('PRACTICE_NOT_FOUND', 'It is gone.');
  const expected = { kind: 'failed', code: 'PRACTICE_NOT_FOUND', message: 'It is gone.' };
  assert.deepEqual(decide(error, after(0), policy), expected);
});

test('what a server asks to wait is the least delay, never the most', () => {
  const delayOf = (atLeastMs: number | undefined, attempts: number): number => {
    const decision = decide(
      new Retry('LLM_UNAVAILABLE', 'Wait.', { atLeastMs }),
      after(attempts),
      policy,
    );
    assert.equal(decision.kind, 'retry');
    return decision.kind === 'retry' ? decision.delayMs : 0;
  };
  assert.equal(delayOf(7000, 0), 7000);
  assert.equal(delayOf(500, 0), 1000);
  assert.equal(delayOf(undefined, 2), 4000);
  assert.equal(delayOf(3_600_000, 0), 3_600_000);
});

test('a Retry on the last attempt fails like any other error', () => {
  const decision = decide(
    new Retry('LLM_UNAVAILABLE', 'Wait.', { atLeastMs: 7000 }),
    after(3),
    policy,
  );
  assert.equal(decision.kind, 'failed');
});

test('a store that is away releases the job uncharged, on the last attempt too', async () => {
  const pool = createPool(`postgres://127.0.0.1:${await freePort()}/none`, {
    max: 1,
    name: 'test',
  });
  const refused: unknown = await pool.query('SELECT 1').catch((error: unknown) => error);
  await pool.end();
  const decision = decide(refused, after(3), policy);
  assert.ok(decision.kind === 'released' && decision.delayMs > 0);
  const lockTimeout = Object.assign(new pg.DatabaseError('lock', 0, 'error'), { code: '55P03' });
  assert.equal(decide(lockTimeout, after(3), policy).kind, 'failed', 'no client of ours threw it');
});

test('an owner that was overtaken looks again later, and is charged nothing', () => {
  const error = new StaleEpochError({ id: 'b7c1', epoch: '4' });
  assert.equal(decide(error, after(0), policy).kind, 'released');
  assert.equal(decide(error, after(3), policy).kind, 'released');
});

test('the words of an unforeseen error reach the log, not the owner of the task', () => {
  const syntax = Object.assign(
    new pg.DatabaseError('column "pässword" does not exist', 0, 'error'),
    {
      code: '42703',
    },
  );
  for (const error of [new Error('canary'), new TypeError('canary'), syntax, 'canary', undefined]) {
    for (const attempts of [0, 3]) {
      const decision = decide(error, after(attempts), policy);
      assert.ok(decision.kind === 'retry' || decision.kind === 'failed');
      assert.equal(decision.code, 'TASK_FAILED');
      assert.equal(decision.message, ERRORS.TASK_FAILED.message);
      assert.equal(decision.cause?.message, error instanceof Error ? error.message : String(error));
    }
  }
});

test('an error that is meant for the owner has a cause that is not', () => {
  const cause = new Error('canary');
  for (const error of [
    new Reject('LLM_REPLY_INVALID', 'No.', { cause }),
    new Retry('LLM_UNAVAILABLE', 'Later.', { cause }),
    new AppError('LLM_UNAVAILABLE', { cause }),
  ]) {
    const decision = decide(error, after(0), policy);
    assert.ok('message' in decision);
    assert.deepEqual([decision.message, decision.cause?.message], [error.message, 'canary']);
  }
  const bare = decide(new Reject('LLM_REPLY_INVALID', 'No.'), after(0), policy);
  assert.equal('cause' in bare, false);
});

test('a countdown is kept to the letter, whatever the backoff', () => {
  for (const countdownMs of [0, 1, 86_400_000]) {
    const decision = decide(new Retry('TASK_FAILED', 'Later.', { countdownMs }), after(0), policy);
    assert.equal(decision.kind === 'retry' && decision.delayMs, countdownMs);
  }
});

test('an error that is not worth another attempt fails at once, a Retry is always worth one', () => {
  const picky = readPolicy({ name: 'test', retryOn: ['LLM_UNAVAILABLE'] });
  const kind = (error: unknown) => decide(error, after(0), picky).kind;
  assert.equal(kind(new AppError('LLM_UNAVAILABLE')), 'retry');
  assert.equal(kind(new AppError('LLM_REPLY_INVALID')), 'failed');
  assert.equal(kind(new Retry('LLM_REPLY_INVALID', 'Again.')), 'retry');
});

test('no retry is planned beyond the time a task may be retried for', () => {
  const bounded = readPolicy({ name: 'test', backoff, retryForMs: 10_000 });
  const error = new AppError('LLM_UNAVAILABLE');
  const kind = (nowMs: number, attempts = 0) =>
    decide(error, { attempts, askedMs: 1000 }, bounded, nowMs).kind;
  assert.equal(kind(10_000), 'retry', 'at 11 s, which is just within');
  assert.equal(kind(10_001), 'failed');
  assert.equal(kind(9000, 1), 'retry');
  assert.equal(kind(9001, 1), 'failed', 'the second delay is twice as long');
  const patient = new Retry('LLM_UNAVAILABLE', 'Wait.', { atLeastMs: 10_001 });
  assert.equal(decide(patient, { attempts: 0, askedMs: 1000 }, bounded, 1000).kind, 'failed');
});

test('the same seed gives the same delays', () => {
  const seeded = () => {
    let state = 7;
    return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  };
  const delays = () => {
    const random = seeded();
    const jittered = readPolicy({ name: 'test', maxRetries: 9 });
    return Array.from({ length: 9 }, (_, attempts) => {
      const decision = decide(new AppError('TASK_FAILED'), after(attempts), jittered, 0, random);
      return decision.kind === 'retry' ? decision.delayMs : -1;
    });
  };
  assert.deepEqual(delays(), delays());
  assert.ok(new Set(delays()).size > 5);
});
