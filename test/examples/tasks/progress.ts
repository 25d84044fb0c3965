/** See how far a task is, and call it off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';
import { eventually } from '../../support/queue/consumers.ts';

const endless = defineTask({
  name: 'example.endless',
  durable: false,
  payload: Type.Object({}),
  result: Type.Null(),
  async run(_, ctx) {
    ctx.log('reading', { pages: 12 });
    ctx.progress(0.25, 'three of twelve pages');
    await once(ctx.signal, 'abort');
    throw ctx.signal.reason;
  },
});

const later = defineTask({
  name: 'example.later',
  payload: Type.Object({}),
  result: Type.Null(),
  run: async () => null,
});

export const tasks = [endless, later];

export async function run({ client }: Stack): Promise<void> {
  const { id } = await client.delay(endless, {});
  const result = client.result(id);
  await eventually('it tells', async () => (await result.status()).progress !== null);
  const { state, progress } = await result.status();
  assert.deepEqual([state, progress], ['active', { value: 0.25, note: 'three of twelve pages' }]);

  assert.equal(await client.revoke(id), 'revoked');
  await assert.rejects(result.get({ timeoutMs: 60_000 }), { code: 'TASK_REVOKED' });

  const options = { userId: 'user-2', countdownMs: 60_000 };
  await client.enqueueMany([later.s({}, options), later.s({}, options)]);
  const filter = { task: later.name, userId: 'user-2' };
  assert.equal(await client.countOpen(filter), 2);
  assert.deepEqual(await client.revokeWhere(filter), { revoked: 2, unreached: 0 });
}
