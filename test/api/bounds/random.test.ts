/**
 * Whatever is sent to whichever route, the server does not fail.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { startTestApp } from '../../support/app/app.ts';
import { INTERNAL_KEY, sendRandomRequests } from './random-requests.ts';

test('500 random requests over all routes make no 5xx', async (t) => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const { app, database, config, stop } = await startTestApp(() => ({
    role: 'api',
    internalApiKey: INTERNAL_KEY,
  }));
  t.after(stop);
  const target = { origin: app.origin!, pool: database.pool, jwtSecurity: config.jwtSecurity };
  const { failed, counts } = await sendRandomRequests(target, 500, seed);
  assert.deepEqual(failed, []);
  assert.ok(counts.has(200) && counts.has(400) && counts.has(401), [...counts.keys()].join());
});
