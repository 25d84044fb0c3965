/** Ask for a task, and wait for what it returns. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const add = defineTask({
  name: 'example.add',
  durable: false,
  payload: Type.Object({ a: Type.Number(), b: Type.Number() }),
  result: Type.Number(),
  run: async ({ a, b }) => a + b,
});

export const tasks = [add];

export async function run({ client }: Stack): Promise<void> {
  const { id } = await client.delay(add, { a: 2, b: 3 });
  const sum: number = await client.result(id, add).get({ timeoutMs: 60_000 });
  assert.equal(sum, 5);
}
