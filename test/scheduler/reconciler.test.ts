import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { freePort } from '../../db/embedded/host/port.ts';
import { startTask, succeedTask } from '../../db/tasks/attempts.ts';
import { acceptTask } from '../../db/tasks/accept.ts';
import type { AcceptRequest } from '../../db/tasks/request.ts';
import { findTask } from '../../db/tasks/rows.ts';
import { ERRORS } from '../../base/errors.ts';
import { Broker, Consumer, Inspector, Producer, type Delivery } from '../../jobs/queue/index.ts';
import { createReconciler, reconcile, type ReconcilerOptions } from '../../scheduler/reconciler.ts';
import { Telemetry, type EventName } from '../../base/telemetry/telemetry.ts';
import { createTestDatabase, type TestDatabase } from '../support/stores/postgres.ts';
import { createTestRedis, type TestRedis } from '../support/stores/redis.ts';
import { Signals } from '../support/signals.ts';
import { request } from '../support/tasks.ts';

/** Nothing here waits for its end. */
const LEASE_MS = 60_000;

let database: TestDatabase, redis: TestRedis;
let broker: Broker;
let options: ReconcilerOptions;
let events: Signals<EventName>;

before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

beforeEach(async () => {
  redis = createTestRedis();
  await database.pool.query('TRUNCATE ai.tasks CASCADE');
  broker = new Broker({ url: redis.url, prefix: redis.prefix });
  await broker.open();
  events = new Signals();
  options = optionsOf(broker);
});
afterEach(async () => {
  broker.close();
  await redis.clear();
});

function optionsOf(on: Broker): ReconcilerOptions {
  const telemetry = new Telemetry();
  telemetry.on((event) => events.note(event));
  const [producer, inspector] = [new Producer(on), new Inspector(on)];
  return { db: database.pool, producer, inspector, telemetry, leaseMs: LEASE_MS };
}

async function accept(changes: Partial<AcceptRequest> = {}): Promise<AcceptRequest> {
  const row = request(changes);
  await acceptTask(database.pool, row);
  return row;
}

const makeDue = () =>
  database.pool.query('UPDATE ai.tasks SET check_at = now() WHERE finished_at IS NULL');

const stateOf = async (id: string) => (await new Inspector(broker).status(id)).state;

/** Seconds until the next check. */
async function checkIn(id: string) {
  const { rows } = await database.pool.query<{ seconds: number }>(
    'SELECT extract(epoch FROM check_at - now())::float AS seconds FROM ai.tasks WHERE id = $1',
    [id],
  );
  return rows[0]!.seconds;
}

/** Takes jobs and leaves what becomes of them to the test. */
async function consume(onDelivery: (delivery: Delivery, consumer: Consumer) => void) {
  const consumer = new Consumer(broker, {
    queues: ['default'],
    limit: 100,
    leaseMs: LEASE_MS,
    deliver: (deliveries) => deliveries.forEach((delivery) => onDelivery(delivery, consumer)),
  });
  await consumer.start();
  return consumer;
}

test('a row that was never dispatched is dispatched once it is due, as it was accepted', async () => {
  const headers = { who: 'me' };
  const asked = { payload: '{"n": 1.50}', priority: 8, headers, expiresMs: 90_000 };
  const { id } = await accept(asked);
  await reconcile(options);
  assert.equal(await stateOf(id), 'unknown', 'its own dispatch gets 2 s');

  await makeDue();
  await reconcile(options);
  const deliveries = new Signals<Delivery>();
  const consumer = await consume((delivery) => deliveries.note(delivery));
  const { job } = await deliveries.first(() => true);
  assert.deepEqual(
    [job.id, job.task, job.queue, job.priority, job.payload],
    [id, 'greet', 'default', 8, '{"n": 1.50}'],
  );
  assert.deepEqual(job.headers, headers);
  const leftMs = job.expiresAtMs! - Date.now();
  assert.ok(leftMs > 30_000 && leftMs <= 90_000, `${leftMs} ms`);
  consumer.settle(id, { kind: 'back', delayMs: 0 });
  await consumer.stop();
});

test('what the queue has is left alone, and looked at again after two leases', async () => {
  const { id } = await accept();
  await makeDue();
  await reconcile(options);
  await makeDue();
  await reconcile(options);
  assert.equal(await new Inspector(broker).waiting('default'), 1);
  assert.equal(events.seen.filter((event) => event === 'reconciler.dispatched').length, 1);
  const seconds = await checkIn(id);
  assert.ok(seconds > 60 && seconds <= 120, `${seconds} s`);
});

test('after Redis lost everything, every unfinished task comes back and no finished one', async () => {
  const rows = await Promise.all(Array.from({ length: 20 }, () => accept()));
  await makeDue();
  await reconcile(options);
  const done = rows[0]!.id;
  const started = await startTask(database.pool, done, 0);
  await succeedTask(database.pool, { id: done, epoch: started!.epoch }, 'null');
  await redis.flush();
  await makeDue();
  await reconcile(options);
  const states = await new Inspector(broker).statuses(rows.map(({ id }) => id));
  const counts = states.map(({ state }) => state);
  assert.deepEqual(counts, ['unknown', ...Array.from({ length: 19 }, () => 'pending')]);
});

test('two at once dispatch every task once', async () => {
  const rows = await Promise.all(Array.from({ length: 300 }, () => accept()));
  await makeDue();
  const other = new Broker({ url: redis.url, prefix: redis.prefix });
  try {
    await Promise.all([reconcile(options), reconcile(optionsOf(other))]);
  } finally {
    other.close();
  }
  assert.equal(await new Inspector(broker).waiting('default'), rows.length);
});

test('without Redis the round fails, and the checks are due again soon', async () => {
  const { id } = await accept();
  const absent = new Broker({ url: `redis://127.0.0.1:${await freePort()}`, prefix: redis.prefix });
  try {
    await makeDue();
    await assert.rejects(reconcile(optionsOf(absent)), { code: 'REDIS_UNAVAILABLE' });
    assert.ok((await checkIn(id)) <= 1);
  } finally {
    absent.close();
  }
});

test('the loop goes on through a Redis that is away, and stops while it is', async () => {
  const { id } = await accept();
  await makeDue();
  const absent = new Broker({ url: `redis://127.0.0.1:${await freePort()}`, prefix: redis.prefix });
  const blind = createReconciler(optionsOf(absent));
  await blind.start();
  await events.first((event) => event === 'loop.failed');
  await blind.stop();
  absent.close();

  const seeing = createReconciler(options);
  await seeing.start();
  await events.first((event) => event === 'reconciler.dispatched');
  await seeing.stop();
  assert.equal(await stateOf(id), 'pending');
});

test('the end of a dead letter is written down, in the words of the catalogue', async () => {
  const { id } = await accept();
  await makeDue();
  await reconcile(options);
  const settled = new Signals<string>();
  const consumer = await consume(({ job }, self) => {
    self.settle(job.id, { kind: 'failed', reason: { code: 'WORKER_DIED', message: 'canary' } });
    settled.note(job.id);
  });
  await settled.first((settledId) => settledId === id);
  await consumer.drain();
  await consumer.stop();
  await makeDue();
  await reconcile(options);
  const row = (await findTask(database.pool, id))!;
  assert.deepEqual(
    [row.status, row.error_code, row.error_message],
    ['error', 'WORKER_DIED', ERRORS.WORKER_DIED.message],
  );
  assert.ok(row.finished_at instanceof Date);
});

test('a job that expired in the queue is revoked', async () => {
  const { id, name } = await accept();
  const job = { id, task: name, queue: 'default', payload: '{}', expiresInMs: 0 };
  await new Producer(broker).enqueue(job);
  const consumer = await consume(() => assert.fail('it was delivered'));
  while ((await stateOf(id)) !== 'revoked') await consumer.drain();
  await consumer.stop();
  await makeDue();
  await reconcile(options);
  const row = (await findTask(database.pool, id))!;
  assert.deepEqual([row.status, row.error_code], ['revoked', 'TASK_EXPIRED']);
});

test('a task that may not run yet is dispatched with the delay that is left', async () => {
  const { id } = await accept();
  await database.pool.query(
    `UPDATE ai.tasks SET check_at = now(), run_at = now() + interval '400 milliseconds' WHERE id = $1`,
    [id],
  );
  const dispatchedMs = performance.now();
  await reconcile(options);
  assert.equal(await stateOf(id), 'scheduled');
  const deliveries = new Signals<Delivery>();
  const consumer = await consume((delivery) => deliveries.note(delivery));
  await deliveries.first(({ job }) => job.id === id);
  const waitedMs = performance.now() - dispatchedMs;
  assert.ok(waitedMs > 300, `${waitedMs} ms`);
  consumer.settle(id, { kind: 'back', delayMs: 0 });
  await consumer.stop();
});

test('one task the queue refuses holds up no other', async () => {
  const refused = await accept({ queue: 'not a name' });
  const dead = await accept();
  const job = { id: dead.id, task: dead.name, queue: 'default', payload: '{}' };
  await new Producer(broker).enqueue(job);
  const settled = new Signals<string>();
  const consumer = await consume((delivery, self) => {
    self.settle(delivery.job.id, { kind: 'failed', reason: { code: 'TASK_FAILED' } });
    settled.note(delivery.job.id);
  });
  await settled.first(() => true);
  await consumer.drain();
  await consumer.stop();
  const fine = await accept();
  await makeDue();
  await reconcile(options).catch(() => undefined);
  assert.equal(await stateOf(fine.id), 'pending');
  assert.equal((await findTask(database.pool, dead.id))?.status, 'error');
  assert.equal((await findTask(database.pool, refused.id))?.status, 'queued');
});

test('a full page asks for the next round at once', async () => {
  await database.pool.query(
    `INSERT INTO ai.tasks (id, name, queue, priority, payload, check_at)
     SELECT gen_random_uuid(), 'greet', 'default', 5, '{}', now() FROM generate_series(1, 501)`,
  );
  assert.equal(await reconcile(options), 0);
  assert.ok((await reconcile(options)) > 0);
  assert.equal(await new Inspector(broker).waiting('default'), 501);
});

test('a task that was to be done once more is dispatched when the one before it has ended', async () => {
  const dedupeKey = `key:${randomUUID()}`;
  const { id } = await accept({ dedupeKey });
  const started = await startTask(database.pool, id, 0);
  const again = await acceptTask(database.pool, request({ dedupeKey, trailing: true }));
  await reconcile(options);
  assert.equal(await stateOf(again.id), 'unknown');
  await succeedTask(database.pool, { id, epoch: started!.epoch }, 'null');
  await reconcile(options);
  assert.equal(await stateOf(again.id), 'pending');
});
