/** What is tried again, when, and what is not. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import { Reject } from '../../../jobs/framework/errors.ts';
import type { Stack } from '../../support/threads/stack.ts';

class Busy extends Error {}

const flaky = defineTask({
  name: 'example.flaky',
  durable: false,
  payload: Type.Object({}),
  result: Type.Integer(),
  maxRetries: 5,
  backoff: { delayMs: 10, factor: 2, maxMs: 1000, jitter: 'equal' },
  retryOn: [Busy, 'ECONNRESET'],
  neverRetryOn: [RangeError],
  retryForMs: 60_000,
  async run(_, ctx) {
    if (ctx.job.attempt === 1) throw new Busy();
    if (ctx.job.attempt === 2) ctx.retry({ countdownMs: 20, reason: 'not yet' });
    return ctx.job.attempt;
  },
});

const hopeless = defineTask({
  name: 'example.hopeless',
  durable: false,
  payload: Type.Object({}),
  result: Type.Null(),
  maxRetries: 5,
  async run() {
    throw new Reject('PRACTICE_NOT_FOUND', 'There is nothing to try again.');
  },
});

/** What it waits for is there from its third look on. */
const awaiting = defineTask({
  name: 'example.awaiting',
  payload: Type.Object({}),
  result: Type.Integer(),
  maxRetries: 0,
  async run(_, ctx) {
    if (ctx.job.delivery! < 3) ctx.snooze(20);
    return ctx.job.attempt;
  },
});

export const tasks = [flaky, hopeless, awaiting];

export async function run({ client }: Stack): Promise<void> {
  const third = await client.delay(flaky, {});
  assert.equal(await client.result(third.id, flaky).get({ timeoutMs: 60_000 }), 3);

  const waited = await client.delay(awaiting, {});
  assert.equal(await client.result(waited.id, awaiting).get({ timeoutMs: 60_000 }), 1);

  const rejected = await client.delay(hopeless, {});
  await assert.rejects(client.result(rejected.id).get({ timeoutMs: 60_000 }), {
    code: 'PRACTICE_NOT_FOUND',
  });
}
