/**
 * Tasks in Postgres and a queue that may not know them, for the tests of the reconciler.
 */
import { after, afterEach, before, beforeEach, type TestContext } from 'node:test';
import { freePort } from '../../db/embedded/host/port.ts';
import { acceptTask } from '../../db/tasks/accept.ts';
import type { AcceptRequest } from '../../db/tasks/request.ts';
import { Telemetry, type EventName } from '../../base/telemetry/telemetry.ts';
import { Broker, Consumer, Inspector, Producer, type Delivery } from '../../jobs/queue/index.ts';
import { reconcile, type ReconcilerOptions } from '../../scheduler/reconciler.ts';
import { createTestDatabase, type TestDatabase } from '../support/stores/postgres.ts';
import { createTestRedis, type TestRedis } from '../support/stores/redis.ts';
import { Signals } from '../support/signals.ts';
import { request } from '../support/tasks.ts';

/** Nothing here waits for its end. */
const LEASE_MS = 60_000;

export let database: TestDatabase;
export let redis: TestRedis;
export let broker: Broker;
export let options: ReconcilerOptions;
export let events: Signals<EventName>;

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

export function optionsOf(on: Broker): ReconcilerOptions {
  const telemetry = new Telemetry();
  telemetry.on((event) => events.note(event));
  const [producer, inspector] = [new Producer(on), new Inspector(on)];
  return { db: database.pool, producer, inspector, telemetry, leaseMs: LEASE_MS };
}

/** The same on a Redis that is not there. */
export async function withoutRedis(t: TestContext): Promise<ReconcilerOptions> {
  const absent = new Broker({ url: `redis://127.0.0.1:${await freePort()}`, prefix: redis.prefix });
  t.after(() => absent.close());
  return optionsOf(absent);
}

export async function accept(changes: Partial<AcceptRequest> = {}): Promise<AcceptRequest> {
  const row = request(changes);
  await acceptTask(database.pool, row);
  return row;
}

export const makeDue = () =>
  database.pool.query('UPDATE ai.tasks SET check_at = now() WHERE finished_at IS NULL');

/** A round to which every task is due. */
export async function roundOfAll(): Promise<void> {
  await makeDue();
  await reconcile(options);
}

export const stateOf = async (id: string) => (await new Inspector(broker).status(id)).state;

/** Seconds until the next check. */
export async function checkIn(id: string) {
  const { rows } = await database.pool.query<{ seconds: number }>(
    'SELECT extract(epoch FROM check_at - now())::float AS seconds FROM ai.tasks WHERE id = $1',
    [id],
  );
  return rows[0]!.seconds;
}

/** Takes jobs and leaves what becomes of them to the test. */
export async function consume(onDelivery: (delivery: Delivery, consumer: Consumer) => void) {
  const consumer = new Consumer(broker, {
    queues: ['default'],
    limit: 100,
    leaseMs: LEASE_MS,
    deliver: (deliveries) => deliveries.forEach((delivery) => onDelivery(delivery, consumer)),
  });
  await consumer.start();
  return consumer;
}

/** Makes a dead letter of a job. */
export async function fail(id: string, reason: { code: string; message?: string }): Promise<void> {
  const settled = new Signals<string>();
  const consumer = await consume(({ job }, self) => {
    self.settle(job.id, { kind: 'failed', reason });
    settled.note(job.id);
  });
  await settled.first((one) => one === id);
  await consumer.drain();
  await consumer.stop();
}

/** Waits for a job to be handed over, and gives it back. */
export async function take(id: string): Promise<Delivery['job']> {
  const deliveries = new Signals<Delivery>();
  const consumer = await consume((delivery) => deliveries.note(delivery));
  const { job } = await deliveries.first((delivery) => delivery.job.id === id);
  consumer.settle(id, { kind: 'back', delayMs: 0 });
  await consumer.stop();
  return job;
}
