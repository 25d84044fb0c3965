import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import { connectClickhouse } from '../../db/stores/clickhouse.ts';
import { forwardEvents, measureOutbox, storeEvents } from '../../db/daodao/events.ts';
import { createEventForwarder } from '../../scheduler/event-forwarder.ts';
import { countEvents } from '../../base/telemetry/metrics.ts';
import { Telemetry, type EventName, type Events } from '../../base/telemetry/telemetry.ts';
import { atEnd } from '../support/at-end.ts';
import { startTestClickhouse, type TestClickhouse } from '../support/stores/clickhouse.ts';
import { createTestDatabase, type TestDatabase } from '../support/stores/postgres.ts';
import { startProxy } from '../support/stores/proxy.ts';
import { Signals } from '../support/signals.ts';

interface Told {
  event: EventName;
  fields: Events[EventName];
}

let database: TestDatabase;
let clickhouse: TestClickhouse;

before(async () => {
  [database, clickhouse] = await Promise.all([createTestDatabase(), startTestClickhouse()]);
});
after(() => Promise.all([database.drop(), clickhouse.stop()]));
beforeEach(async () => {
  await database.pool.query('TRUNCATE ai.events_outbox');
});

/**
 * A process that forwards to a ClickHouse at this address, not yet started.
 * @param told where it tells what happens, beside others.
 */
async function forwarder(t: TestContext, url: string, told = new Signals<Told>()) {
  const telemetry = new Telemetry();
  telemetry.on((event, fields) => told.note({ event, fields }));
  const client = await connectClickhouse({ clickhouseUrl: url });
  const metrics = countEvents(telemetry);
  const loop = createEventForwarder({
    outbox: {
      measure: (most) => measureOutbox(database.pool, most),
      forward: (limit) => forwardEvents(database.pool, client, limit),
    },
    telemetry,
    metrics,
  });
  atEnd(t, async () => {
    await loop.stop();
    await client.close();
  });
  return {
    loop,
    told,
    /** How many events were forwarded, by it and those beside it. */
    forwarded: () =>
      told.seen
        .filter(({ event }) => event === 'events.forwarded')
        .reduce((sum, { fields }) => sum + (fields as Events['events.forwarded']).events, 0),
    async gauge(name: string) {
      const line = new RegExp(`^${name} (\\S+)$`, 'm').exec(await metrics.metrics());
      return Number(line?.[1]);
    },
  };
}

async function store(count: number): Promise<string> {
  const userId = randomUUID();
  const events = Array.from({ length: count }, () => ({
    event_id: randomUUID(),
    event_type: 'like',
    entity_type: 'practice',
    entity_id: randomUUID(),
    occurred_at: new Date().toISOString(),
  }));
  await storeEvents(database.pool, userId, events);
  return userId;
}

async function held(userId: string): Promise<number> {
  const [row] = await clickhouse.rows<{ n: string }>(
    'SELECT count() AS n FROM daodao.user_events FINAL WHERE user_id = {user:String}',
    { user: userId },
  );
  return Number(row!.n);
}

test('more events than one batch holds go one batch after the other', async (t) => {
  const userId = await store(5001);
  const { loop, told, forwarded } = await forwarder(t, clickhouse.url);
  await loop.start();
  await told.until(() => (forwarded() === 5001 ? true : undefined));
  const batches = told.seen.filter(({ event }) => event === 'events.forwarded');
  assert.deepEqual(
    batches.map(({ fields }) => fields),
    [{ events: 5000 }, { events: 1 }],
  );
  assert.equal(await held(userId), 5001);
});

test('while ClickHouse is away it says so, measures what waits, and goes on by itself', async (t) => {
  const proxy = await startProxy(clickhouse.url);
  atEnd(t, () => proxy.cut());
  await proxy.cut();
  const userId = await store(7);
  await database.pool.query(
    `UPDATE ai.events_outbox SET received_at = received_at - interval '1 minute'`,
  );
  const { loop, told, forwarded, gauge } = await forwarder(t, proxy.url);
  await loop.start();
  const isFailure = ({ event }: Told): boolean => event === 'loop.failed';
  const { fields } = await told.first(isFailure);
  assert.equal((fields as Events['loop.failed']).loop, 'event forwarder');
  assert.equal(await gauge('daodao_unsent_events'), 7);
  assert.ok((await gauge('daodao_unsent_events_age_seconds')) >= 60);
  await told.count(3, isFailure);
  assert.equal(forwarded(), 0);
  await proxy.restore();
  await told.until(() => (forwarded() === 7 ? true : undefined));
  assert.equal(await held(userId), 7);
});

test('two processes that forward at once send each event once', async (t) => {
  const userId = await store(12_000);
  const told = new Signals<Told>();
  const [one, other] = [
    await forwarder(t, clickhouse.url, told),
    await forwarder(t, clickhouse.url, told),
  ];
  await Promise.all([one.loop.start(), other.loop.start()]);
  await told.until(() => (one.forwarded() >= 12_000 ? true : undefined));
  assert.equal(one.forwarded(), 12_000);
  const [raw] = await clickhouse.rows<{ n: string }>(
    'SELECT count() AS n FROM daodao.user_events WHERE user_id = {user:String}',
    { user: userId },
  );
  assert.equal(Number(raw!.n), 12_000, 'none was sent by both');
  assert.equal(await held(userId), 12_000);
});

test('it stops while ClickHouse is away, before its start and twice', async (t) => {
  await store(1);
  const { loop, told } = await forwarder(t, 'http://127.0.0.1:9');
  await loop.start();
  await told.first(({ event }) => event === 'loop.failed');
  await loop.stop();
  await loop.stop();
  const never = await forwarder(t, clickhouse.url);
  await never.loop.stop();
});
