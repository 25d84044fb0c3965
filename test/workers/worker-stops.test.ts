import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { ResolvedConfig } from '../../config.ts';
import { Control } from '../../jobs/queue/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { registerTasksOfTests } from '../support/tasks-of-tests.ts';
import { openWorker, type WorkerBench } from '../support/worker.ts';

registerTasksOfTests();

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

const open = (t: TestContext, overrides: Partial<ResolvedConfig> = {}): Promise<WorkerBench> =>
  openWorker(t, database.url, overrides);

test('a job whose lease is lost is told to stop, and its end counts for nothing', async (t) => {
  const bench = await open(t);
  const id = await bench.add('obey');
  await bench.said(id, 'waiting');
  await bench.redis.flush();
  await bench.jobEvent(id, 'job.lease_lost');
  await bench.said(id, 'aborted: lease lost');
  assert.equal((await bench.inspector.status(id)).state, 'unknown');
  // The worker has registered anew and takes jobs again.
  await bench.jobEvent(await bench.add('echo', { word: 'after' }), 'job.succeeded');
});

test('stop lets a job end within the grace period', async (t) => {
  const bench = await open(t, { shutdownGraceMs: 5000 });
  const id = await bench.add('rest', { ms: 300 });
  await bench.said(id, 'resting');
  await bench.worker.stop();
  assert.equal((await bench.inspector.status(id)).state, 'succeeded');
});

test('after the grace period a job is told to stop, and goes back uncharged', async (t) => {
  const bench = await open(t, { shutdownGraceMs: 100 });
  const id = await bench.add('obey');
  await bench.said(id, 'waiting');
  await bench.worker.stop();
  const { state, counts } = await bench.inspector.status(id);
  assert.deepEqual([state, counts], ['pending', { attempts: 0, deaths: 0, mark: '' }]);
  assert.equal(await bench.inspector.waiting('default'), 1);
});

test('a job that ignores its signal does not hold up the end of the process', async (t) => {
  const bench = await open(t, { shutdownGraceMs: 0 });
  const id = await bench.add('ignore');
  await bench.said(id, 'ignoring');
  const startedMs = performance.now();
  await bench.worker.stop();
  assert.ok(performance.now() - startedMs < 4000);
  const { state, counts } = await bench.inspector.status(id);
  assert.deepEqual([state, counts], ['pending', { attempts: 0, deaths: 0, mark: '' }]);
});

test('a suspect stopped with its process stays a suspect, and is not one that dies', async (t) => {
  const bench = await open(t, { shutdownGraceMs: 0 });
  const id = await bench.add('obey');
  await bench.said(id, 'waiting');
  await bench.add('die', { how: 'exit' });
  await bench.told.count(2, (one) => one.event === 'job.log' && one.message === 'waiting');
  await bench.worker.stop();
  const { state, counts } = await bench.inspector.status(id);
  assert.deepEqual([state, counts], ['pending', { attempts: 0, deaths: 0, mark: 's' }]);
});

test('waiting suspects are given back when the worker stops', async (t) => {
  const bench = await open(t, { shutdownGraceMs: 0 });
  const ids = await Promise.all([1, 2, 3].map(() => bench.add('obey')));
  for (const id of ids) await bench.said(id, 'waiting');
  await bench.add('die', { how: 'exit' });
  await bench.told.count(4, (one) => one.event === 'job.log' && one.message === 'waiting');
  await bench.worker.stop();
  for (const status of await bench.inspector.statuses(ids)) {
    assert.ok(['pending', 'scheduled', 'retrying'].includes(status.state), status.state);
    assert.deepEqual([status.counts.attempts, status.counts.deaths], [0, 0]);
  }
});

test('a job that goes on after its lease was lost ends with its thread, which then serves others', async (t) => {
  const bench = await open(t);
  const deaf = await bench.add('die', { how: 'loop' });
  await bench.told.first((one) => one.event === 'job.log' && one.jobId === deaf);
  assert.deepEqual(await new Control(bench.broker).revoke([deaf]), ['revoked']);
  const next = await bench.add('echo', { word: 'free again' });
  await bench.jobEvent(next, 'job.succeeded');
  assert.deepEqual(bench.eventsOf(deaf).includes('job.failed'), false);
});
