/** The same work once: by key, put off while it is still being asked for, and once more when asked for too late. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const reindex = defineTask({
  name: 'example.reindex',
  payload: Type.Object({ version: Type.Integer() }),
  result: Type.Integer(),
  run: async ({ version }) => version,
});

export const tasks = [reindex];

export async function run({ client }: Stack): Promise<void> {
  const put = (version: number) =>
    client.applyAsync(
      reindex,
      { version },
      { dedupeKey: 'reindex:practice-1', debounceMs: 300, maxWaitMs: 5000, trailing: true },
    );
  const first = await put(1);
  const second = await put(2);
  assert.equal(second.id, first.id, 'one task');
  assert.equal(second.outcome, 'unfinished');
  assert.equal(await client.result(first.id, reindex).get({ timeoutMs: 60_000 }), 2);

  const daily = () =>
    client.applyAsync(
      reindex,
      { version: 4 },
      { dedupeKey: 'reindex:daily', uniqueForMs: 86_400_000 },
    );
  const today = await daily();
  assert.equal(await client.result(today.id, reindex).get({ timeoutMs: 60_000 }), 4);
  const later = await daily();
  assert.deepEqual([later.id, later.outcome, later.status], [today.id, 'repeated', 'done']);

  const ask = () =>
    client.applyAsync(
      reindex,
      { version: 3 },
      { userId: 'user-1', idempotencyKey: 'the same request' },
    );
  const [once, again] = [await ask(), await ask()];
  assert.deepEqual([again.id, again.outcome], [once.id, 'repeated']);
}
