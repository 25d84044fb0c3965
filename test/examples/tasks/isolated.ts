/** A task that must not share its thread. */
import assert from 'node:assert/strict';
import { threadId } from 'node:worker_threads';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const crunch = defineTask({
  name: 'example.crunch',
  durable: false,
  isolated: true,
  payload: Type.Object({ n: Type.Integer() }),
  result: Type.Object({ fibonacci: Type.Integer(), threadId: Type.Integer() }),
  async run({ n }) {
    const fibonacci = (of: number): number => (of < 2 ? of : fibonacci(of - 1) + fibonacci(of - 2));
    return { fibonacci: fibonacci(n), threadId };
  },
});

const where = defineTask({
  name: 'example.where',
  durable: false,
  payload: Type.Object({}),
  result: Type.Integer(),
  run: async () => threadId,
});

export const tasks = [crunch, where];

export async function run({ client }: Stack): Promise<void> {
  const alone = await client.delay(crunch, { n: 20 });
  const shared = await client.delay(where, {});
  const { fibonacci, threadId: own } = await client
    .result(alone.id, crunch)
    .get({ timeoutMs: 60_000 });
  assert.equal(fibonacci, 6765);
  assert.notEqual(own, await client.result(shared.id, where).get({ timeoutMs: 60_000 }));
}
