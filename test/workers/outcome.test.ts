import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { createPool } from '../../db/postgres.ts';
import { StaleEpochError } from '../../db/task-runs.ts';
import { freePort } from '../../db/embedded/port.ts';
import { AppError, ERRORS } from '../../errors.ts';
import { Reject, Retry, type Backoff } from '../../jobs/task.ts';
import { backoffMs, decide } from '../../workers/outcome.ts';

const backoff: Backoff = { delayMs: 1000, factor: 2, maxMs: 5000, jitter: 'none' };
const policy = { maxRetries: 3, backoff };

test('a delay grows by its factor up to its limit', () => {
  const delays = [0, 1, 2, 3, 4, 50, 5000].map((attempts) => backoffMs(backoff, attempts, () => 1));
  assert.deepEqual(delays, [1000, 2000, 4000, 5000, 5000, 5000, 5000]);
});

test('full jitter spreads a delay over everything below it, in whole milliseconds', () => {
  const jittered: Backoff = { ...backoff, jitter: 'full' };
  const delays = [0, 0.1234, 0.5, 0.9999].map((random) => backoffMs(jittered, 1, () => random));
  assert.deepEqual(delays, [0, 247, 1000, 2000]);
  assert.equal(
    backoffMs(backoff, 1, () => 0.1),
    2000,
  );
});

test('an error is tried again as long as retries are left, the last one fails', () => {
  const error = new AppError('LLM_UNAVAILABLE');
  const { code, message } = error;
  const decisions = [0, 1, 2, 3, 4].map((attempts) => decide(error, attempts, policy));
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
  assert.deepEqual(decide(error, 0, policy), expected);
});

test('what a server asks to wait is the least delay, never the most', () => {
  const delayOf = (delayMs: number | undefined, attempts: number): number => {
    const decision = decide(new Retry('LLM_UNAVAILABLE', 'Wait.', { delayMs }), attempts, policy);
    assert.equal(decision.kind, 'retry');
    return decision.kind === 'retry' ? decision.delayMs : 0;
  };
  assert.equal(delayOf(7000, 0), 7000);
  assert.equal(delayOf(500, 0), 1000);
  assert.equal(delayOf(undefined, 2), 4000);
  assert.equal(delayOf(3_600_000, 0), 3_600_000);
});

test('a Retry on the last attempt fails like any other error', () => {
  const decision = decide(new Retry('LLM_UNAVAILABLE', 'Wait.', { delayMs: 7000 }), 3, policy);
  assert.equal(decision.kind, 'failed');
});

test('a store that is away releases the job uncharged, on the last attempt too', async () => {
  const pool = createPool(`postgres://127.0.0.1:${await freePort()}/none`, {
    max: 1,
    name: 'test',
  });
  const refused: unknown = await pool.query('SELECT 1').catch((error: unknown) => error);
  await pool.end();
  const lockTimeout = Object.assign(new pg.DatabaseError('lock', 0, 'error'), { code: '55P03' });
  for (const error of [refused, lockTimeout, new Error('Command timed out')]) {
    const decision = decide(error, 3, policy);
    assert.equal(decision.kind, 'released');
    assert.ok(decision.kind === 'released' && decision.delayMs > 0);
  }
});

test('an owner that was overtaken looks again later, and is charged nothing', () => {
  const error = new StaleEpochError({ id: 'b7c1', epoch: '4' });
  assert.equal(decide(error, 0, policy).kind, 'released');
  assert.equal(decide(error, 3, policy).kind, 'released');
});

test('the words of an unforeseen error reach nobody', () => {
  const syntax = Object.assign(
    new pg.DatabaseError('column "pässword" does not exist', 0, 'error'),
    {
      code: '42703',
    },
  );
  for (const error of [new Error('canary'), new TypeError('canary'), syntax, 'canary', undefined]) {
    for (const attempts of [0, 3]) {
      const decision = decide(error, attempts, policy);
      assert.ok(decision.kind === 'retry' || decision.kind === 'failed');
      assert.equal(decision.code, 'TASK_FAILED');
      assert.equal(decision.message, ERRORS.TASK_FAILED.message);
    }
  }
});
