/** Say when, where, how urgent and until when; and give facts along. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const whoAsks = defineTask({
  name: 'example.who-asks',
  durable: false,
  payload: Type.Object({}),
  result: Type.String(),
  run: async (_, ctx) => ctx.job.headers['trace'] ?? 'nobody',
});

export const tasks = [whoAsks];

export async function run({ client }: Stack): Promise<void> {
  const id = randomUUID();
  await client.applyAsync(
    whoAsks,
    {},
    {
      id,
      countdownMs: 100,
      expiresMs: 60_000,
      priority: 9,
      queue: 'default',
      headers: { trace: 'a-1' },
    },
  );
  assert.equal(await client.result(id, whoAsks).get({ timeoutMs: 60_000 }), 'a-1');

  const eta = new Date(Date.now() + 3_600_000);
  const later = await client.applyAsync(whoAsks, {}, { eta, expiresMs: 7_200_000 });
  assert.equal((await client.result(later.id).status()).state, 'scheduled');
  assert.equal(await client.revoke(later.id), 'revoked');
}
