/**
 * Whatever is sent to whichever route, the server does not fail.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { sendRandomRequests } from './random-requests.ts';

test('500 random requests over all routes make no 5xx', async (t) => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  assert.deepEqual(await sendRandomRequests(500, seed), []);
});
