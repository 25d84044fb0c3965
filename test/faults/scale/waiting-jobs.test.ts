/**
 * Jobs that wait cost next to nothing: 1,000 at a time on two threads. `WAITING_JOBS_MS=20000` is the measurement in
 * docs/workers.md.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_DATABASE, openWorker } from '../../support/threads/worker.ts';

const JOBS = 1000;
const WAIT_MS = process.env['WAITING_JOBS_MS'];

test('1,000 jobs that each wait do so at the same time', async (t) => {
  const bench = await openWorker(t, NO_DATABASE, { workerThreads: 2, workerConcurrency: 500 });
  // Both threads have been started by the end of these.
  const first = await Promise.all([1, 2].map(() => bench.add('where', { ms: 500 })));
  for (const id of first) await bench.jobEvent(id, 'job.succeeded');
  const idleMb = process.memoryUsage.rss() / 2 ** 20;
  const startedMs = performance.now();
  const count = (event: 'job.log' | 'job.succeeded'): Promise<void> =>
    new Promise((resolve) => {
      let seen = 0;
      bench.telemetry.on((told) => {
        if (told === event && ++seen === JOBS) resolve();
      });
    });
  const [begun, ended] = [count('job.log'), count('job.succeeded')];
  // Without a length of their own they wait until the worker stops: none has ended when the last one begins.
  const task = WAIT_MS === undefined ? 'obey' : 'where';
  for (let job = 0; job < JOBS; job++) void bench.add(task, { ms: Number(WAIT_MS ?? 0) });
  await begun;
  const busyMb = process.memoryUsage.rss() / 2 ** 20;
  const { workers } = await bench.inspector.overview();
  assert.deepEqual(
    workers.map(({ held }) => held),
    [JOBS],
  );
  if (WAIT_MS !== undefined) await ended;
  const tookMs = performance.now() - startedMs;
  const memory = `${Math.round(idleMb)} MB idle, ${Math.round(busyMb)} MB with all of them`;
  t.diagnostic(`${Math.round(tookMs)} ms; ${memory}`);
});
