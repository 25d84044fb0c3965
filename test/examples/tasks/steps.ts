/** What is done once however often a task is tried: calls that cost money, writes, and further tasks. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const notify = defineTask({
  name: 'example.notify',
  payload: Type.Object({ who: Type.String() }),
  result: Type.String(),
  run: async ({ who }) => `told ${who}`,
});

const publish = defineTask({
  name: 'example.publish',
  payload: Type.Object({}),
  result: Type.Object({ price: Type.Integer(), child: Type.String(), beside: Type.String() }),
  maxRetries: 1,
  backoff: { delayMs: 1 },
  async run(_, ctx) {
    const price = await ctx.step('ask the model', async () => ctx.job.attempt);
    const child = await ctx.transaction('save', (tx) => tx.enqueue(notify.s({ who: 'Ann' })));
    const beside = await ctx.enqueue(notify.s({ who: 'Ben' }));
    if (ctx.job.attempt === 1) throw new Error('after everything was done');
    return { price, child, beside };
  },
});

export const tasks = [notify, publish];

export async function run({ client }: Stack): Promise<void> {
  const { id } = await client.delay(publish, {});
  const published = await client.result(id, publish).get({ timeoutMs: 60_000 });
  assert.equal(published.price, 1, 'the first attempt paid, the second did not');
  assert.equal(await client.result(published.child).get({ timeoutMs: 60_000 }), 'told Ann');
  assert.equal(await client.result(published.beside).get({ timeoutMs: 60_000 }), 'told Ben');
}
