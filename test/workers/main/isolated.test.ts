import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Control } from '../../../jobs/queue/index.ts';
import type { Events } from '../../../base/telemetry/telemetry.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { NO_DATABASE, openWorker, type WorkerBench } from '../../support/threads/worker.ts';

const open = (t: TestContext, overrides = {}): Promise<WorkerBench> =>
  openWorker(t, NO_DATABASE, overrides);

const UNCHARGED = { attempts: 0, deaths: 0, mark: '' };

/** The thread a job said it runs on. */
async function threadOf(bench: WorkerBench, id: string): Promise<unknown> {
  const said = await bench.said(id, 'here');
  return said.event === 'job.log' ? said.fields['threadId'] : undefined;
}

test('isolated jobs run where nothing else runs, as many as there are threads; the others are held, and given back', async (t) => {
  const bench = await open(t, { workerThreads: 2 });
  const running = await Promise.all([1, 2].map(() => bench.add('hermit', { ms: 600_000 })));
  const threads = await Promise.all(running.map((id) => threadOf(bench, id)));
  const waiting = await Promise.all([1, 2].map(() => bench.add('hermit', { ms: 0 })));
  const others = await Promise.all([1, 2, 3, 4].map(() => bench.add('where', { ms: 100 })));
  for (const id of others) {
    threads.push(await threadOf(bench, id));
    await bench.jobEvent(id, 'job.succeeded');
  }
  assert.equal(new Set(threads).size, 4, 'two threads for two, and two for all others');
  // Were the process to die now, none would be charged: none is marked as one that runs alone.
  for (const { state, counts } of await bench.inspector.statuses([...running, ...waiting])) {
    assert.deepEqual([state, counts], ['active', UNCHARGED]);
  }
  assert.deepEqual(waiting.flatMap(bench.eventsOf), []);
  await bench.worker.stop();
  for (const { state, counts } of await bench.inspector.statuses([...running, ...waiting])) {
    assert.deepEqual([state, counts], ['pending', UNCHARGED]);
  }
});

test('an isolated job that ends makes room for the next, on the same thread', async (t) => {
  const bench = await open(t);
  const hermits = await Promise.all([1, 2, 3].map(() => bench.add('hermit', { ms: 50 })));
  const threads = await Promise.all(hermits.map((id) => threadOf(bench, id)));
  assert.equal(new Set(threads).size, 1);
  for (const id of hermits) await bench.jobEvent(id, 'job.succeeded');
  const events = bench.told.seen.map(({ event }) => event);
  const [log, done] = ['job.log', 'job.succeeded'] as const;
  assert.deepEqual(events, [log, done, log, done, log, done]);
});

test('a waiting isolated job whose lease is lost is not started', async (t) => {
  const bench = await open(t);
  const first = await bench.add('hermit', { ms: 600_000 });
  await bench.said(first, 'here');
  const waiting = await bench.add('hermit', { ms: 0 });
  await bench.jobEvent(await bench.add('where', { ms: 0 }), 'job.succeeded');
  await bench.redis.flush();
  await bench.jobEvent(first, 'job.lease_lost');
  const last = await bench.add('hermit', { ms: 0 });
  await bench.jobEvent(last, 'job.succeeded');
  assert.deepEqual(bench.eventsOf(waiting), []);
});

test('an isolated job revoked before its thread was ready ends as soon as it begins', async (t) => {
  const bench = await open(t);
  const revoked = await bench.add('hermit', { ms: 600_000 });
  await eventually('it was sent to a thread', () => bench.worker.runs.has(revoked));
  await new Control(bench.broker).revoke([revoked]);
  await bench.jobEvent(revoked, 'job.revoked');
  assert.deepEqual(bench.eventsOf(revoked), ['job.revoked'], 'it has not begun');
  const next = await bench.add('hermit', { ms: 0 });
  await bench.jobEvent(next, 'job.succeeded');
});

test('the death of its thread is charged to an isolated job, which was alone', async (t) => {
  const bench = await open(t);
  const id = await bench.add('isolated-perish', { how: 'exit at once' });
  const failed = (await bench.jobEvent(id, 'job.failed')) as Events['job.failed'];
  assert.equal(failed.code, 'WORKER_DIED');
  assert.equal(bench.told.seen.filter(({ event }) => event === 'thread.died').length, 3);
});

test('an isolated job is not charged for a late error of the one before it: it runs again on a fresh thread', async (t) => {
  const bench = await open(t);
  const late = await bench.add('isolated-regret', { ms: 200 });
  const victim = await bench.add('hermit', { ms: 1000 });
  await bench.jobEvent(late, 'job.succeeded');
  await bench.jobEvent(victim, 'job.succeeded');
  const deaths = bench.told.seen.filter(({ event }) => event === 'thread.died');
  assert.deepEqual(
    deaths.map((one) => one.event === 'thread.died' && one.jobIds),
    [[victim]],
  );
  assert.deepEqual(bench.eventsOf(victim), ['job.log', 'job.log', 'job.succeeded']);
});
