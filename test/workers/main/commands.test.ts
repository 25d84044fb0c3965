import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before, test, type TestContext } from 'node:test';
import type { ResolvedConfig } from '../../../base/config.ts';
import { Producer } from '../../../jobs/queue/index.ts';
import type { Events } from '../../../base/telemetry/telemetry.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { openWorker, stateOf, type WorkerBench } from '../../support/threads/worker.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

const open = (t: TestContext, overrides: Partial<ResolvedConfig> = {}): Promise<WorkerBench> =>
  openWorker(t, database.url, { leaseMs: 30_000, ...overrides });

/** What a worker answers; it must not refuse. */
async function answer<T>(bench: WorkerBench, verb: string, args: object = {}): Promise<T> {
  const said = await bench.ask(verb, args);
  assert.equal(said.kind, 'answered', JSON.stringify(said));
  return said.answer as T;
}

test('ping tells where the worker is', async (t) => {
  const bench = await open(t);
  assert.deepEqual(await answer(bench, 'ping'), { pid: process.pid, hostname: hostname() });
});

test('active lists what runs and since when, and what waits for its turn in a thread', async (t) => {
  const bench = await open(t, { workerConcurrency: 2 });
  const beforeMs = Date.now();
  const first = await bench.add('obey');
  await bench.said(first, 'waiting');
  await answer(bench, 'concurrency', { perThread: 1 });
  const { held, jobs } = await answer<{ held: number; jobs: Record<string, unknown>[] }>(
    bench,
    'active',
  );
  assert.equal(held, 1);
  const [{ since, ...job } = {}] = jobs;
  assert.deepEqual(job, { id: first, task: 'test.obey', queue: 'default', attempt: 1 });
  const sinceMs = Date.parse(String(since));
  assert.ok(sinceMs >= beforeMs - 5 && sinceMs <= Date.now() + 5, String(since));
});

test('active lists no more than 500, and counts them all', async (t) => {
  const bench = await open(t, { workerConcurrency: 600 });
  await Promise.all(Array.from({ length: 600 }, () => bench.add('obey')));
  await bench.told.count(600, (one) => one.event === 'job.log' && one.message === 'waiting');
  const { held, jobs } = await answer<{ held: number; jobs: object[] }>(bench, 'active');
  assert.deepEqual([held, jobs.length], [600, 500]);
});

test('registered lists the tasks with their queues and limits', async (t) => {
  const bench = await open(t);
  const tasks = await answer<Record<string, unknown>[]>(bench, 'registered');
  assert.deepEqual(
    tasks.find(({ name }) => name === 'generate_ai_feedback'),
    {
      name: 'generate_ai_feedback',
      queue: 'ai_tasks',
      durable: true,
      isolated: false,
      priority: 5,
      maxRetries: 3,
      softTimeLimitMs: 90_000,
      timeLimitMs: 120_000,
    },
  );
});

test('stats count how jobs ended since the start', async (t) => {
  const bench = await open(t, { workerThreads: 2 });
  for (const word of ['a', 'b'])
    await bench.jobEvent(await bench.add('echo', { word }), 'job.succeeded');
  await bench.jobEvent(await bench.add('no-such-task'), 'job.failed');
  await bench.jobEvent(await bench.add('hurry'), 'job.retrying');
  const { ended, residentBytes, uptimeSeconds, ...rest } = await answer<{
    ended: object;
    residentBytes: number;
    uptimeSeconds: number;
  }>(bench, 'stats');
  assert.deepEqual(ended, {
    succeeded: 2,
    retrying: 1,
    failed: 1,
    released: 0,
    lost: 0,
    revoked: 0,
  });
  assert.ok(residentBytes > 1e7 && uptimeSeconds > 0);
  assert.deepEqual(rest, {
    pid: process.pid,
    hostname: hostname(),
    queues: ['ai_tasks', 'default'],
    threads: 2,
    concurrency: 8,
    limit: 16,
    held: 0,
  });
});

test('a consumer is added and cancelled while the worker runs', async (t) => {
  const bench = await open(t, { workerQueues: ['ai_tasks'] });
  const id = await bench.add('echo', { word: 'waits' });
  assert.deepEqual(await answer(bench, 'add_consumer', { queue: 'default' }), {
    queues: ['ai_tasks', 'default'],
  });
  await bench.jobEvent(id, 'job.succeeded');
  assert.deepEqual(await answer(bench, 'cancel_consumer', { queue: 'default' }), {
    queues: ['ai_tasks'],
  });
  const left = await bench.add('echo', { word: 'stays' });
  assert.equal((await bench.inspector.status(left)).state, 'pending');
  assert.deepEqual(bench.eventsOf(left), []);
});

test('more concurrency lets waiting jobs begin at once, in threads that run and in new ones', async (t) => {
  const bench = await open(t, { workerConcurrency: 1 });
  const ids = await Promise.all([1, 2, 3, 4].map(() => bench.add('obey')));
  const begun = () =>
    bench.told.seen.filter((one) => one.event === 'job.log' && one.message === 'waiting').length;
  await eventually('one runs', () => begun() === 1);
  assert.deepEqual(await answer(bench, 'concurrency', { perThread: 3 }), {
    concurrency: 3,
    limit: 3,
  });
  await eventually('three run', () => begun() === 3);
  assert.equal(
    (await bench.inspector.statuses(ids)).filter((s) => s.state === 'pending').length,
    1,
  );
  // A new thread, which has never been told.
  await bench.add('echo', { word: 'unread' });
  await answer(bench, 'terminate', { id: ids[0]! });
  await bench.told.first((one) => one.event === 'thread.died');
  await eventually('three run in the new thread', () => begun() >= 6);
});

test('less concurrency lets what runs go on, and begins nothing beyond it', async (t) => {
  const bench = await open(t, { workerConcurrency: 3 });
  const ids = await Promise.all([1, 2, 3].map(() => bench.add('rest', { ms: 300 })));
  for (const id of ids) await bench.said(id, 'resting');
  await answer(bench, 'concurrency', { perThread: 1 });
  const next = await Promise.all([1, 2].map(() => bench.add('rest', { ms: 100 })));
  for (const id of [...ids, ...next]) await bench.jobEvent(id, 'job.succeeded');
  // One after the other: the second rests only once the first has ended.
  const order = bench.told.seen
    .filter((one) => one.event === 'job.succeeded' || one.event === 'job.log')
    .filter((one) => next.includes(one.jobId))
    .map(({ event }) => event);
  assert.deepEqual(order, ['job.log', 'job.succeeded', 'job.log', 'job.succeeded']);
});

test('terminate ends the thread of a job; it and its neighbours go back uncharged and run again', async (t) => {
  const bench = await open(t);
  const neighbour = await bench.add('rest', { ms: 400 });
  const deaf = await bench.add('ignore');
  await bench.said(neighbour, 'resting');
  await bench.said(deaf, 'ignoring');
  assert.deepEqual(await answer(bench, 'terminate', { id: deaf }), { terminated: true });
  const { attempt } = (await bench.jobEvent(neighbour, 'job.succeeded')) as Events['job.succeeded'];
  assert.equal(attempt, 1);
  await bench.told.count(2, (one) => one.event === 'job.log' && one.jobId === deaf);
  const { state, counts } = await bench.inspector.status(deaf);
  assert.deepEqual([state, counts], ['active', { attempts: 0, deaths: 0, mark: '' }]);
});

test('terminate with revoke ends the job for good', async (t) => {
  const bench = await open(t);
  const neighbour = await bench.add('rest', { ms: 400 });
  const deaf = await bench.add('ignore');
  await bench.said(neighbour, 'resting');
  await bench.said(deaf, 'ignoring');
  assert.deepEqual(await answer(bench, 'terminate', { id: deaf, revoke: true }), {
    terminated: true,
  });
  await bench.jobEvent(neighbour, 'job.succeeded');
  const status = await stateOf(bench, deaf, 'revoked');
  assert.equal(status.reason?.code, 'REVOKED');
  // Whether the worker hears of the revoke before the thread is ended is a matter of time.
  const ends = bench.eventsOf(deaf).filter((event) => !['job.log', 'job.revoked'].includes(event));
  assert.deepEqual(ends, []);
});

test('terminate leaves a job alone that is not here', async (t) => {
  const bench = await open(t);
  const id = '00000000-0000-4000-8000-000000000000';
  assert.deepEqual(await answer(bench, 'terminate', { id, revoke: true }), { terminated: false });
});

test('shutdown answers first and ends the process then', async (t) => {
  const bench = await open(t);
  assert.deepEqual(await answer(bench, 'shutdown', { kind: 'cold' }), { kind: 'cold' });
  assert.deepEqual(bench.shutdowns.seen, ['cold']);
});

const REFUSED = [
  ['pin', {}, /^There is no command "pin"\. Did you mean ping\?$/],
  ['constructor', {}, /^There is no command "constructor"\.$/],
  ['ping', { loud: true }, /^The command ping does not take these arguments: /],
  ['add_consumer', { queue: 'a,b' }, /queue must match pattern/],
  ['add_consumer', {}, /queue/],
  ['concurrency', { perThread: 0 }, /perThread must be >= 1/],
  ['concurrency', { perThread: 1001 }, /perThread must be <= 1000/],
  ['terminate', { id: 'x' }, /id must match format "uuid"/],
  ['shutdown', { kind: 'hot' }, /kind must be/],
] as const;

test('a command that is unknown, or has arguments it does not take, is refused with a sentence', async (t) => {
  const bench = await open(t);
  for (const [verb, args, sentence] of REFUSED) {
    await t.test(`${verb} ${JSON.stringify(args)}`, async () => {
      const said = await bench.ask(verb, args);
      assert.equal(said.kind, 'refused');
      assert.match(said.error, sentence);
    });
  }
});

test('an abandoned worker gives back what ignores its signal, and another gets it at once', async (t) => {
  const bench = await open(t, { shutdownGraceMs: 3_600_000, leaseMs: 3_600_000 });
  const ids = await Promise.all([1, 2, 3].map(() => bench.add('ignore')));
  for (const id of ids) await bench.said(id, 'ignoring');
  const stopping = bench.worker.stop();
  await bench.worker.abandon();
  for (const { state, counts } of await bench.inspector.statuses(ids)) {
    assert.deepEqual([state, counts], ['pending', { attempts: 0, deaths: 0, mark: '' }]);
  }
  await stopping;
  assert.equal((await bench.inspector.overview()).workers.length, 0);
  assert.equal(
    await new Producer(bench.broker).enqueue({
      id: ids[0]!,
      task: 'test.ignore',
      queue: 'default',
      payload: '{}',
    }),
    'exists',
  );
});
