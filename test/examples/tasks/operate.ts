/** What operators do: pause and resume a queue, look around, give dead letters another life. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { Control, Inspector } from '../../../jobs/queue/index.ts';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const fragile = defineTask({
  name: 'example.fragile',
  durable: false,
  payload: Type.Object({}),
  result: Type.String(),
  maxRetries: 0,
  async run() {
    throw new Error('broken');
  },
});

export const tasks = [fragile];

export async function run({ client, broker }: Stack): Promise<void> {
  const [control, inspector] = [new Control(broker), new Inspector(broker)];
  const { id } = await client.delay(fragile, {});
  await assert.rejects(client.result(id).get({ timeoutMs: 60_000 }), { code: 'TASK_FAILED' });

  const letter = (await inspector.page({ list: 'failed' })).at(-1);
  assert.deepEqual([letter?.id, letter?.reason?.code], [id, 'TASK_FAILED']);

  await control.pause('default');
  assert.deepEqual(await control.requeue([id]), ['requeued']);
  const { queues } = await inspector.overview();
  const facts = queues.find(({ name }) => name === 'default');
  assert.deepEqual([facts?.paused, facts?.waiting[5]], [true, 1]);

  assert.equal(await control.purge('default'), 1);
  await control.resume('default');

  const hour = { countdownMs: 3_600_000 };
  await client.enqueueMany([fragile.s({}, hour), fragile.s({}, hour)]);
  assert.equal(await control.purgeDelayed('default'), 2);

  const second = await client.delay(fragile, {});
  await assert.rejects(client.result(second.id).get({ timeoutMs: 60_000 }));
  assert.deepEqual(await control.removeFailed([second.id]), ['removed']);
}
