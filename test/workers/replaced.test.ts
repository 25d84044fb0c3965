import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { watchHeap } from '../../workers/heap-watch.ts';
import type { Events } from '../../telemetry.ts';
import { registerTasksOfTests } from '../support/tasks-of-tests.ts';
import { NO_DATABASE, openWorker, stateOf, type WorkerBench } from '../support/worker.ts';

registerTasksOfTests();

/** Runs jobs one after another until the only thread has been replaced. @returns its last result. */
async function untilReplaced(bench: WorkerBench, task: string, payload: object): Promise<void> {
  const isReplaced = () => bench.told.seen.some(({ event }) => event === 'thread.replaced');
  while (!isReplaced()) await bench.jobEvent(await bench.add(task, payload), 'job.succeeded');
}

const threadOf = async (bench: WorkerBench, id: string) =>
  (await stateOf(bench, id, 'succeeded')).result;

/** A thread that was replaced finishes its job, and has ended afterwards; nothing was lost. */
async function assertHandover(t: TestContext, overrides: object, task: string, payload: object) {
  const bench = await openWorker(t, NO_DATABASE, overrides);
  const old = await threadOf(bench, await bench.add('where', { ms: 0 }));
  const long = await bench.add('obey');
  await bench.said(long, 'waiting');
  await untilReplaced(bench, task, payload);
  const fresh = await threadOf(bench, await bench.add('where', { ms: 0 }));
  assert.notEqual(fresh, old);
  assert.deepEqual(bench.eventsOf(long), ['job.log'], 'it goes on where it is');
  await bench.worker.stop();
  await bench.said(long, 'aborted: shutdown');
  assert.equal(
    bench.told.seen.some(({ event }) => event === 'thread.died'),
    false,
  );
  const { counts } = await bench.inspector.status(long);
  assert.deepEqual(counts, { attempts: 0, deaths: 0, mark: '' });
  return bench;
}

test('a thread is replaced after so many jobs, and finishes what it has', async (t) => {
  const bench = await assertHandover(t, { workerMaxJobsPerThread: 20 }, 'echo', { word: 'next' });
  const replaced = bench.told.seen.filter(({ event }) => event === 'thread.replaced');
  const { reason, jobs } = replaced[0] as unknown as Events['thread.replaced'];
  assert.equal(reason, 'it has run 20 jobs');
  assert.ok(jobs >= 20);
});

test('a thread whose heap stays above the limit is replaced, and finishes what it has', async (t) => {
  const litter = { workerMaxHeapMb: 100, workerMaxJobsPerThread: 0 };
  await assertHandover(t, litter, 'litter', { mb: 10 });
});

test('no more threads are on their way out than there are to serve', async (t) => {
  const bench = await openWorker(t, NO_DATABASE, { workerMaxJobsPerThread: 1 });
  const long = await bench.add('obey');
  await bench.said(long, 'waiting');
  await untilReplaced(bench, 'echo', { word: 'next' });
  for (let round = 0; round < 5; round++) {
    await bench.jobEvent(await bench.add('where', { ms: 0 }), 'job.succeeded');
  }
  assert.equal(bench.told.seen.filter(({ event }) => event === 'thread.replaced').length, 1);
});

test('a heap is too large once it was above the limit at four looks in a row, and that is told once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const heaps = [60, 60, 60, 40, 60, 60, 60, 60.4, 60, 60, 60, 60];
  const told: number[] = [];
  let looks = 0;
  watchHeap(
    50,
    (mb) => told.push(mb),
    () => heaps[looks++]!,
  );
  for (let look = 1; look <= heaps.length; look++) {
    t.mock.timers.tick(250);
    assert.equal(told.length, look < 8 ? 0 : 1);
  }
  assert.deepEqual([told, looks], [[60], 8]);
});
