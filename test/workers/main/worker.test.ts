import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { ResolvedConfig } from '../../../base/config.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import { Producer } from '../../../jobs/queue/index.ts';
import { reconcile } from '../../../scheduler/reconciler.ts';
import type { Events } from '../../../base/telemetry/telemetry.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { request } from '../../support/tasks.ts';
import { openWorker, stateOf, type WorkerBench } from '../../support/threads/worker.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

const open = (t: TestContext, overrides: Partial<ResolvedConfig> = {}): Promise<WorkerBench> =>
  openWorker(t, database.url, overrides);

test('a job that returns has its result in the queue', async (t) => {
  const bench = await open(t);
  const id = await bench.add('echo', { word: '島' });
  const status = await stateOf(bench, id, 'succeeded');
  assert.equal(status.result, '"島"');
  const { attempt } = (await bench.jobEvent(id, 'job.succeeded')) as Events['job.succeeded'];
  assert.equal(attempt, 1);
});

test('what an attempt threw is in its events and its dead letter, for operators, and not in its message', async (t) => {
  const bench = await open(t);
  const id = await bench.add('hurry', {});
  const failed = (await bench.jobEvent(id, 'job.failed')) as Events['job.failed'];
  const retrying = (await bench.jobEvent(id, 'job.retrying')) as Events['job.retrying'];
  for (const { cause, reason } of [retrying, failed]) {
    assert.deepEqual([cause?.name, cause?.message], ['Error', 'aborted']);
    assert.match(cause?.stack ?? '', /test-tasks/);
    assert.doesNotMatch(reason, /aborted/);
  }
  const { reason } = await stateOf(bench, id, 'failed');
  assert.match(reason?.cause ?? '', /^Error: aborted\n +at .*test-tasks/);
  assert.doesNotMatch(reason?.message ?? '', /aborted/);
});

test('neighbours of a job that ends its thread run again alone, and are charged nothing', async (t) => {
  const bench = await open(t);
  const neighbours = await Promise.all([1, 2, 3].map(() => bench.add('rest', { ms: 150 })));
  for (const id of neighbours) await bench.said(id, 'resting');
  const deadly = await bench.add('die', { how: 'exit' });
  for (const id of neighbours) {
    const { attempt } = (await bench.jobEvent(id, 'job.succeeded')) as Events['job.succeeded'];
    assert.equal(attempt, 1);
  }
  await bench.jobEvent(deadly, 'job.failed');
  // Alone: between the start of one suspect and its end no other starts.
  const afterwards = bench.told.seen.slice(
    bench.told.seen.findIndex((one) => one.event === 'thread.died'),
  );
  let alone: string | undefined;
  for (const one of afterwards) {
    if (one.event === 'job.log' && one.message === 'resting') {
      assert.equal(alone, undefined);
      alone = one.jobId;
    }
    if (one.event === 'job.succeeded') {
      assert.equal(one.jobId, alone);
      alone = undefined;
    }
  }
});

test('a poison job is a dead letter after three deaths alone, in Postgres too', async (t) => {
  const bench = await open(t);
  const row = request({ name: 'test.poison' });
  await acceptTask(database.pool, row);
  await new Producer(bench.broker).enqueue({ ...row, task: row.name });
  const failed = (await bench.jobEvent(row.id, 'job.failed')) as Events['job.failed'];
  assert.deepEqual([failed.code, failed.attempt], ['WORKER_DIED', 0]);
  assert.equal(bench.told.seen.filter(({ event }) => event === 'thread.died').length, 4);
  const { reason } = await stateOf(bench, row.id, 'failed');
  assert.equal(reason?.code, 'WORKER_DIED');

  await database.pool.query('UPDATE ai.tasks SET check_at = now() WHERE id = $1', [row.id]);
  const { inspector, telemetry, broker } = bench;
  const producer = new Producer(broker);
  await reconcile({ db: database.pool, producer, inspector, telemetry, leaseMs: 500 });
  const { status, error_code, attempts } = (await findTask(database.pool, row.id))!;
  assert.deepEqual([status, error_code, attempts], ['error', 'WORKER_DIED', 0]);
});

test('a job that has died three times, the last one with its process, is not run again', async (t) => {
  const bench = await open(t, { workerQueues: ['idle'] });
  const id = await bench.add('echo', { word: 'again' });
  await bench.redis.client.hset(bench.broker.key(0, 'counts'), id, '0:3:s');
  await bench.ask('add_consumer', { queue: 'default' });
  const failed = (await bench.jobEvent(id, 'job.failed')) as Events['job.failed'];
  assert.equal(failed.code, 'WORKER_DIED');
  assert.deepEqual(bench.eventsOf(id), ['job.failed']);
  assert.equal((await stateOf(bench, id, 'failed')).reason?.code, 'WORKER_DIED');
});

test('other jobs go on while a poison job dies again and again', async (t) => {
  const bench = await open(t, { workerThreads: 2 });
  const poison = await bench.add('die', { how: 'exit' });
  const others = await Promise.all(Array.from({ length: 40 }, () => bench.add('rest', { ms: 20 })));
  for (const id of others) {
    const { attempt } = (await bench.jobEvent(id, 'job.succeeded')) as Events['job.succeeded'];
    assert.equal(attempt, 1);
  }
  await bench.jobEvent(poison, 'job.failed');
});

test('the hard time limit charges the job that ran over it; its neighbours start again at once', async (t) => {
  const bench = await open(t);
  const neighbours = await Promise.all([1, 2].map(() => bench.add('rest', { ms: 900 })));
  for (const id of neighbours) await bench.said(id, 'resting');
  const looping = await bench.add('die', { how: 'loop' });
  const failed = (await bench.jobEvent(looping, 'job.failed')) as Events['job.failed'];
  assert.deepEqual([failed.code, failed.attempt], ['TASK_TIME_LIMIT', 1]);
  for (const id of neighbours) {
    const { attempt } = (await bench.jobEvent(id, 'job.succeeded')) as Events['job.succeeded'];
    assert.equal(attempt, 1);
    const released = (await bench.jobEvent(id, 'job.released')) as Events['job.released'];
    assert.equal(released.delayMs, 0, 'it was a suspect');
  }
});

test('jobs a blocked thread never got to are not charged for the time it was blocked', async (t) => {
  const bench = await open(t);
  const looping = await bench.add('die', { how: 'loop' });
  const waiting = await Promise.all([1, 2, 3].map(() => bench.add('nap', { ms: 10 })));
  await bench.jobEvent(looping, 'job.failed');
  for (const id of waiting) {
    const { attempt } = (await bench.jobEvent(id, 'job.succeeded')) as Events['job.succeeded'];
    assert.equal(attempt, 1);
  }
});
