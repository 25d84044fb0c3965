/**
 * Jobs that wait cost next to nothing: 1,000 at a time on two threads. They wait 2 s; `WAITING_JOBS_MS=20000` is the
 * measurement in docs/workers.md.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerTasksOfTests } from '../support/tasks-of-tests.ts';
import { NO_DATABASE, openWorker } from '../support/worker.ts';

registerTasksOfTests();

const JOBS = 1000;
const WAIT_MS = Number(process.env['WAITING_JOBS_MS'] ?? 2000);
/** What 1,000 jobs may take beyond their wait, in milliseconds. */
const OVERHEAD_MS = WAIT_MS >= 20_000 ? 5000 : 3000;

test('1,000 jobs that each wait end in little more than the time of one', async (t) => {
  const bench = await openWorker(t, NO_DATABASE, { workerThreads: 2, workerConcurrency: 500 });
  // Both threads have been started by the end of these.
  const first = await Promise.all([1, 2].map(() => bench.add('where', { ms: 500 })));
  for (const id of first) await bench.jobEvent(id, 'job.succeeded');
  const idleMb = process.memoryUsage.rss() / 2 ** 20;
  let busyMb = idleMb;
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    let ended = 0;
    bench.telemetry.on((event) => {
      if (event !== 'job.succeeded' || ++ended < JOBS) return;
      resolve();
    });
    const look = setInterval(() => {
      busyMb = Math.max(busyMb, process.memoryUsage.rss() / 2 ** 20);
    }, 100);
    t.after(() => clearInterval(look));
    for (let job = 0; job < JOBS; job++) void bench.add('where', { ms: WAIT_MS });
  });
  const tookMs = performance.now() - startedMs;
  t.diagnostic(
    `${Math.round(tookMs)} ms; ${Math.round(idleMb)} MB idle, ${Math.round(busyMb)} MB at most`,
  );
  assert.ok(tookMs < WAIT_MS + OVERHEAD_MS, `${tookMs} ms`);
});
