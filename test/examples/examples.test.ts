/**
 * Every example runs, and prints what its readers are told.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { HANG_MS } from '../support/patience.ts';
import { testRedisUrl } from '../support/stores/redis.ts';

const run = promisify(execFile);

test('the queue on its own adds, runs and awaits a job', async () => {
  const example = new URL('queue.js', import.meta.url).pathname;
  const env = { ...process.env, REDIS_URL: testRedisUrl() };
  const { stdout } = await run(process.execPath, [example], { env, timeout: HANG_MS });
  assert.equal(stdout, 'succeeded: 42\n');
});
