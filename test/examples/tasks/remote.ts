/** Ask workers that run: who is there, what they do, and to do otherwise. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { Control } from '../../../jobs/queue/index.ts';
import { defineTask } from '../../../jobs/framework/define.ts';
import { eventually } from '../../support/queue/consumers.ts';
import type { Stack } from '../../support/threads/stack.ts';

const deaf = defineTask({
  name: 'example.deaf',
  durable: false,
  payload: Type.Object({}),
  result: Type.Null(),
  async run() {
    for (;;);
  },
});

export const tasks = [deaf];

export async function run({ client, broker }: Stack): Promise<void> {
  const control = new Control(broker);
  const ask = async (verb: string, args: object = {}): Promise<Record<string, unknown>> => {
    const [said] = await control.broadcast(verb, args, { timeoutMs: 60_000 });
    assert.ok(said?.kind === 'answered', JSON.stringify(said));
    return said.answer as Record<string, unknown>;
  };
  assert.equal((await ask('ping'))['pid'], process.pid);
  assert.deepEqual((await ask('add_consumer', { queue: 'extra' }))['queues'], [
    'ai_tasks',
    'default',
    'extra',
  ]);
  await ask('cancel_consumer', { queue: 'extra' });
  assert.equal((await ask('concurrency', { perThread: 8 }))['concurrency'], 8);

  const { id } = await client.delay(deaf, {});
  const jobs = async () => (await ask('active'))['jobs'] as { id: string; since: string | null }[];
  await eventually('it runs', async () =>
    (await jobs()).some((job) => job.id === id && job.since !== null),
  );
  assert.equal(await client.revoke(id, { terminate: true }), 'revoked');
  await eventually('its thread was ended', async () =>
    (await jobs()).every((job) => job.id !== id),
  );
}
