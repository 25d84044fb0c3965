import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { ResolvedConfig } from '../../../base/config.ts';
import { Broker, Consumer, Control, Inspector, type Delivery } from '../../../jobs/queue/index.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { HANG_MS, stretched } from '../../support/patience.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { Signals } from '../../support/signals.ts';
import { openWorker, type WorkerBench } from '../../support/threads/worker.ts';

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

test('a job that ends well after its lease was lost has not succeeded here', async (t) => {
  const bench = await open(t);
  const id = await bench.add('overstay');
  await bench.said(id, 'waiting');
  await bench.redis.flush();
  await bench.said(id, 'done all the same');
  // The only thread tells this end after that one.
  await bench.jobEvent(await bench.add('echo', { word: 'after' }), 'job.succeeded');
  assert.deepEqual(bench.eventsOf(id), ['job.log', 'job.lease_lost', 'job.log']);
  assert.equal((await bench.inspector.status(id)).state, 'unknown');
});

test('a job claimed again while it goes on under its lost lease is put off, not started beside itself', async (t) => {
  const bench = await open(t);
  const id = await bench.add('ignore');
  await bench.said(id, 'ignoring');
  // What another process does with a worker it takes for dead.
  const [worker] = await bench.redis.client.zrange(bench.broker.key(0, 'workers'), 0, '-1');
  assert.equal(await bench.broker.leave(0, worker!), 1);
  await bench.jobEvent(id, 'job.lease_lost');
  await eventually(
    'it is put off',
    async () => (await bench.inspector.status(id)).state === 'scheduled',
  );
  assert.deepEqual(bench.eventsOf(id), ['job.log', 'job.lease_lost']);
});

test('a job handed over while the worker stops goes back uncharged, and another worker gets it', async (t) => {
  const bench = await open(t, { shutdownGraceMs: HANG_MS });
  const holding = await bench.add('obey');
  await bench.said(holding, 'waiting');
  const adding = bench.add('echo', { word: 'late' });
  // It is sent in this turn, just before the round in which the worker says that it takes no more.
  const stopping = new Promise<void>((resolve) => {
    process.nextTick(() => resolve(bench.worker.stop()));
  });
  const late = await adding;
  const delivered = new Signals<Delivery>();
  const other = new Consumer(bench.broker, {
    queues: ['default'],
    limit: 1,
    deliver: (deliveries) => deliveries.forEach((delivery) => delivered.note(delivery)),
  });
  await other.start();
  try {
    const { counts } = await delivered.first(({ job }) => job.id === late);
    assert.deepEqual(counts, { attempts: 0, deaths: 0, mark: '' });
    assert.deepEqual(bench.eventsOf(late), []);
    await new Control(bench.broker).revoke([holding]);
  } finally {
    await stopping;
    await other.stop();
  }
});

test('stop lets a job end within the grace period', async (t) => {
  const bench = await open(t, { shutdownGraceMs: HANG_MS });
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
  await bench.worker.stop();
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

test('a stop that comes after an abandon waits for it: its connection is not closed while it leaves', async (t) => {
  const bench = await open(t, { leaseMs: stretched(20_000) });
  const id = await bench.add('obey');
  await bench.said(id, 'waiting');
  const other = new Broker({ url: bench.redis.url, prefix: bench.redis.prefix });
  t.after(() => other.close());
  await other.open();
  const abandoned = bench.worker.abandon();
  await bench.worker.stop();
  bench.broker.close();
  await abandoned;
  const inspector = new Inspector(other);
  assert.deepEqual((await inspector.overview()).workers, []);
  assert.equal((await inspector.status(id)).state, 'pending');
  assert.deepEqual(
    bench.told.seen.filter(({ event }) => event === 'loop.failed'),
    [],
  );
});
