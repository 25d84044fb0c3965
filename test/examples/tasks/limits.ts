/** Time limits: a soft one that can be caught, a hard one that cannot, and more time asked for from inside. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const patient = defineTask({
  name: 'example.patient',
  durable: false,
  payload: Type.Object({}),
  result: Type.String(),
  softTimeLimitMs: 200,
  timeLimitMs: 60_000,
  async run(_, ctx) {
    await sleep(60_000, undefined, { signal: ctx.signal }).catch(() => undefined);
    return 'cut short';
  },
});

const stuck = defineTask({
  name: 'example.stuck',
  durable: false,
  payload: Type.Object({}),
  result: Type.Null(),
  maxRetries: 0,
  timeLimitMs: 200,
  async run() {
    for (;;);
  },
});

const thorough = defineTask({
  name: 'example.thorough',
  durable: false,
  payload: Type.Object({}),
  result: Type.String(),
  maxRetries: 0,
  timeLimitMs: 1000,
  async run(_, ctx) {
    ctx.extendLimit(60_000);
    await sleep(1200);
    return 'took its time';
  },
});

export const tasks = [patient, stuck, thorough];

export async function run({ client }: Stack): Promise<void> {
  const short = await client.delay(patient, {});
  assert.equal(await client.result(short.id, patient).get({ timeoutMs: 60_000 }), 'cut short');

  const ended = await client.delay(stuck, {});
  await assert.rejects(client.result(ended.id).get({ timeoutMs: 60_000 }), {
    code: 'TASK_TIME_LIMIT',
  });

  const long = await client.delay(thorough, {});
  assert.equal(await client.result(long.id, thorough).get({ timeoutMs: 60_000 }), 'took its time');
}
