/** Ask for a thousand tasks in one round trip. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const square = defineTask({
  name: 'example.square',
  durable: false,
  payload: Type.Object({ n: Type.Integer() }),
  result: Type.Integer(),
  run: async ({ n }) => n * n,
});

export const tasks = [square];

export async function run({ client }: Stack): Promise<void> {
  const signatures = Array.from({ length: 1000 }, (_, n) => square.s({ n }));
  const accepted = await client.enqueueMany(signatures);
  const squares = await Promise.all(
    accepted.map(({ id }) => client.result(id, square).get({ timeoutMs: 60_000 })),
  );
  assert.deepEqual([squares[3], squares[999]], [9, 998_001]);
}
