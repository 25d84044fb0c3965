import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Events } from '../../../base/telemetry/telemetry.ts';
import { watchHeap } from '../../../workers/thread/heap-watch.ts';
import { Endings } from '../../../workers/main/endings.ts';
import { ThreadPool } from '../../../workers/main/pool.ts';
import { testConfig } from '../../support/config.ts';
import { Signals } from '../../support/signals.ts';
import {
  NO_DATABASE,
  openWorker,
  stateOf,
  type WorkerBench,
} from '../../support/threads/worker.ts';

const threadOf = async (bench: WorkerBench, id: string) =>
  (await stateOf(bench, id, 'succeeded')).result;

/** A thread that was replaced finishes its job, and has ended afterwards; nothing was lost. */
async function assertHandover(
  t: TestContext,
  overrides: object,
  wear: (bench: WorkerBench) => Promise<unknown>,
) {
  const bench = await openWorker(t, NO_DATABASE, overrides);
  const old = await threadOf(bench, await bench.add('where', { ms: 0 }));
  const long = await bench.add('obey');
  await bench.said(long, 'waiting');
  await wear(bench);
  await bench.told.first(({ event }) => event === 'thread.replaced');
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
  const bench = await assertHandover(t, { workerMaxJobsPerThread: 20 }, (worn) =>
    Promise.all(Array.from({ length: 20 }, () => worn.add('echo', { word: 'next' }))),
  );
  const replaced = bench.told.seen.filter(({ event }) => event === 'thread.replaced');
  const { reason, jobs } = replaced[0] as unknown as Events['thread.replaced'];
  assert.equal(reason, 'it has run 20 jobs');
  assert.ok(jobs >= 20);
});

test('a thread whose heap stays above the limit is replaced, and finishes what it has', async (t) => {
  const litter = { workerMaxHeapMb: 100, workerMaxJobsPerThread: 0 };
  await assertHandover(t, litter, (worn) => worn.add('litter', { mb: 120 }));
});

test('no more threads are on their way out than there are to serve', async (t) => {
  const events = new Signals<string>();
  const ignore = () => undefined;
  const config = testConfig({ workerMaxJobsPerThread: 1 });
  const module = new URL('../../support/threads/test-thread.js', import.meta.url);
  // Not warm: a successor takes over at once.
  const pool = new ThreadPool(
    { config, threads: 1, warm: false, module, endings: new Endings() },
    {
      started: ignore,
      handled: ignore,
      deferred: () => undefined,
      stuck: ignore,
      extended: ignore,
      progress: ignore,
      died: ignore,
      unstarted: ignore,
      ended: (id) => events.note(id),
      replaced: (reason) => events.note(reason),
      log: (id, _task, message) => events.note(`${id} ${message}`),
    },
  );
  t.after(() => pool.close());
  const run = (id: string, task: string) =>
    pool.run([
      { id, task, queue: 'default', payload: '{"ms":0}', headers: {}, attempts: 0, createdAtMs: 0 },
    ]);
  run('long', 'test.obey');
  await events.first((said) => said === 'long waiting');
  for (const id of ['one', 'two', 'three']) {
    run(id, 'test.where');
    await events.first((said) => said === id);
  }
  const replaced = () => events.seen.filter((said) => said === 'it has run 1 jobs').length;
  assert.equal(replaced(), 1);
  pool.abort(['long'], 'shutdown');
  await events.first((said) => said === 'long');
  run('four', 'test.where');
  await events.first((said) => said === 'four');
  assert.equal(replaced(), 2);
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
