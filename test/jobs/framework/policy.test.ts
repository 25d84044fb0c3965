import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Type } from 'typebox';
import { AppError } from '../../../base/errors.ts';
import {
  backoffMs,
  isRetryable,
  TaskDefinitionError,
  type Backoff,
} from '../../../jobs/framework/policy.ts';
import { defineTask } from '../../../jobs/framework/define.ts';

const facts = {
  name: 'test',
  payload: Type.Object({}),
  result: Type.Null(),
  run: async () => null,
};

function problemsOf(options: object): readonly string[] {
  try {
    defineTask({ ...facts, ...options });
    return [];
  } catch (error) {
    assert.ok(error instanceof TaskDefinitionError);
    for (const problem of error.problems) assert.ok(error.message.includes(problem));
    return error.problems;
  }
}

test('a definition without a policy has the defaults', () => {
  const { queue, maxRetries, backoff, timeLimitMs, softTimeLimitMs, priority, isolated, durable } =
    defineTask(facts);
  assert.deepEqual(
    { queue, maxRetries, backoff, timeLimitMs, softTimeLimitMs, priority, isolated, durable },
    {
      queue: 'default',
      maxRetries: 3,
      backoff: { delayMs: 1000, factor: 2, maxMs: 600_000, jitter: 'full' },
      timeLimitMs: 600_000,
      softTimeLimitMs: undefined,
      priority: 5,
      isolated: false,
      durable: true,
    },
  );
});

test('part of a backoff is completed by the defaults, and undefined means not given', () => {
  const task = defineTask({ ...facts, queue: undefined, backoff: { delayMs: 5 } });
  assert.equal(task.queue, 'default');
  assert.deepEqual(task.backoff, { delayMs: 5, factor: 2, maxMs: 600_000, jitter: 'full' });
});

test('every problem of a definition is told at once', () => {
  const problems = problemsOf({
    name: 'no spaces',
    maxRetrys: 3,
    backoff: { delay: 1, jitter: 'some', factor: 0.5 },
    priority: 11,
    queue: 'a/b',
    retryOn: 'TASK_FAILED',
    timeLimitMs: '5s',
    softTimeLimitMs: 0,
    isolated: 'yes',
  });
  assert.deepEqual(problems, [
    'name must be 1 to 128 letters, digits, "_", ".", ":" or "-".',
    'maxRetrys is not an option. Did you mean maxRetries?',
    'priority must be a whole number from 0 to 9.',
    'queue must be 1 to 64 letters, digits, "_", "." or "-".',
    'retryOn must be a list of error classes, codes or names.',
    'timeLimitMs must be a whole number, 1 or more.',
    'softTimeLimitMs must be a whole number, 1 or more.',
    'isolated must be true or false.',
    'backoff.delay is not an option. Did you mean delayMs?',
    'backoff.jitter must be full, equal or none.',
    'backoff.factor must be 1 or more.',
  ]);
});

test('a soft limit that would never be met before the hard one is refused', () => {
  assert.deepEqual(problemsOf({ softTimeLimitMs: 5000, timeLimitMs: 5000 }), [
    'softTimeLimitMs must be less than timeLimitMs, which is 5000.',
  ]);
  assert.deepEqual(problemsOf({ softTimeLimitMs: 4999, timeLimitMs: 5000 }), []);
});

test('names of the prototype are no options', () => {
  assert.deepEqual(problemsOf({ toString: 1, constructor: 2 }), [
    'toString is not an option.',
    'constructor is not an option.',
  ]);
});

const backoff: Backoff = { delayMs: 1000, factor: 2, maxMs: 5000, jitter: 'none' };

test('a delay grows by its factor up to its limit; a factor of 1 keeps it', () => {
  const delays = [0, 1, 2, 3, 4, 50, 5000].map((attempts) => backoffMs(backoff, attempts, () => 1));
  assert.deepEqual(delays, [1000, 2000, 4000, 5000, 5000, 5000, 5000]);
  const fixed = [0, 1, 50].map((attempts) =>
    backoffMs({ ...backoff, factor: 1 }, attempts, () => 1),
  );
  assert.deepEqual(fixed, [1000, 1000, 1000]);
});

test('jitter spreads a delay: full from zero, equal from its half, none not at all', () => {
  const spread = (jitter: Backoff['jitter']) =>
    [0, 0.1234, 0.5, 0.9999].map((random) => backoffMs({ ...backoff, jitter }, 1, () => random));
  assert.deepEqual(spread('full'), [0, 247, 1000, 2000]);
  assert.deepEqual(spread('equal'), [1000, 1123, 1500, 2000]);
  assert.deepEqual(spread('none'), [2000, 2000, 2000, 2000]);
});

test('a delay is a whole number of milliseconds, never negative and never above its limit', () => {
  const backoffs = fc.record<Backoff>({
    delayMs: fc.nat(1e9),
    factor: fc.double({ min: 1, max: 1e6, noNaN: true }),
    maxMs: fc.nat(1e9),
    jitter: fc.constantFrom('full', 'equal', 'none'),
  });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(backoffs, fc.nat(10_000), random, (given, attempts, chance) => {
      const delayMs = backoffMs(given, attempts, () => chance);
      assert.ok(Number.isSafeInteger(delayMs) && delayMs >= 0 && delayMs <= given.maxMs);
    }),
  );
});

test('errors are told apart by class, code and name; what is never retried wins', () => {
  const away = new AppError('LLM_UNAVAILABLE');
  const bug = new TypeError('x is not a function');
  const retryable = (
    error: unknown,
    retryOn: Parameters<typeof isRetryable>[1]['retryOn'],
    neverRetryOn: Parameters<typeof isRetryable>[1]['neverRetryOn'] = [],
  ) => isRetryable(error, { retryOn, neverRetryOn });
  assert.deepEqual(
    [away, bug, 'thrown text'].map((error) => retryable(error, undefined)),
    [true, true, true],
  );
  assert.deepEqual(
    [away, bug, 'thrown text'].map((error) => retryable(error, [AppError])),
    [true, false, false],
  );
  assert.deepEqual(
    [retryable(away, ['LLM_UNAVAILABLE']), retryable(bug, ['TypeError'])],
    [true, true],
  );
  assert.equal(retryable(bug, undefined, [TypeError]), false);
  assert.equal(retryable(away, [AppError], ['LLM_UNAVAILABLE']), false);
  assert.equal(retryable(bug, []), false, 'an empty list: none is');
});
