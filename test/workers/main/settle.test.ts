import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { TaskFacts } from '../../../jobs/framework/signature.ts';
import { judgeDeath } from '../../../workers/main/settle.ts';
import { delivery } from '../../support/queue/delivery.ts';

const known = defineTask({
  name: 'test.verdict',
  durable: false,
  payload: Type.Object({}),
  result: Type.Null(),
  maxRetries: 3,
  backoff: { delayMs: 1000, factor: 3, maxMs: 5000, jitter: 'none' },
  retryForMs: 60_000,
  run: async () => null,
});

const overrun = (attempts: number, task: TaskFacts | undefined, ageMs = 0) => {
  const job = delivery({ task: known.name, createdAtMs: Date.now() - ageMs, attempts });
  const death = { overran: true, collateral: true, alone: false, limitMs: 50, reason: 'ended' };
  return judgeDeath(job, task, death).settlement;
};

test('a job over its hard limit is tried again like after any failure: by its backoff, and not for ever', () => {
  const delays = [0, 1, 2].map((attempts) => {
    const outcome = overrun(attempts, known);
    assert.ok(outcome.kind === 'back');
    assert.equal(outcome.counts?.attempts, attempts + 1);
    return outcome.delayMs;
  });
  assert.deepEqual(delays, [1000, 3000, 5000]);
  for (const last of [overrun(3, known), overrun(0, known, 59_500), overrun(0, undefined)]) {
    assert.equal(last.kind === 'failed' && last.reason.code, 'TASK_TIME_LIMIT');
  }
});
