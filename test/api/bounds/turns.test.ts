/**
 * Large bodies are parsed one in a turn of the event loop, so that many of them at once delay the others by one of them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { config, createWorld, open } from '../fixture.ts';

const KEY = 'a key that only services know';

/** @returns in which turn of the event loop each of eight requests that come together is answered. */
async function turnsOf(t: Parameters<typeof open>[0], bytes: number): Promise<Set<number>> {
  const world = createWorld();
  world.deps.config = config({ internalApiKey: KEY });
  const app = await open(t, world);
  let turn = 0;
  const count = (): NodeJS.Immediate =>
    setImmediate(() => {
      turn++;
      counting = count();
    });
  let counting = count();
  const request = {
    method: 'POST',
    url: '/internal/events/practice.updated',
    headers: { 'x-internal-api-key': KEY },
    payload: { practice_id: 'x'.repeat(bytes) },
  } as const;
  const turns = Array.from({ length: 8 }, async () => {
    assert.equal((await app.inject(request)).statusCode, 400);
    return turn;
  });
  const answered = new Set(await Promise.all(turns));
  clearImmediate(counting);
  return answered;
}

test('eight large bodies are answered in eight turns', async (t) => {
  assert.equal((await turnsOf(t, 200_000)).size, 8);
});

test('small ones do not wait for each other', async (t) => {
  assert.ok((await turnsOf(t, 1000)).size < 8);
});
