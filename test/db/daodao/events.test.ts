import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connectClickhouse } from '../../../db/stores/clickhouse.ts';
import {
  forwardEvents,
  measureOutbox,
  pruneEvents,
  storeEvents,
  type BehaviourEvent,
} from '../../../db/daodao/events.ts';
import type { Queryable } from '../../../db/stores/postgres.ts';
import { atEnd } from '../../support/at-end.ts';
import { startTestClickhouse, type TestClickhouse } from '../../support/stores/clickhouse.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { startFlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

let database: TestDatabase;
let clickhouse: TestClickhouse;

before(async () => {
  [database, clickhouse] = await Promise.all([createTestDatabase(), startTestClickhouse()]);
});
after(() => Promise.all([database.drop(), clickhouse.stop()]));

function event(fields: Partial<BehaviourEvent> = {}): BehaviourEvent {
  return {
    event_id: randomUUID(),
    event_type: 'content_view',
    entity_type: 'practice',
    entity_id: randomUUID(),
    occurred_at: new Date().toISOString(),
    ...fields,
  };
}

const batch = (count: number): BehaviourEvent[] => Array.from({ length: count }, () => event());

/** Raw rows and merged ones of a user. */
async function held(userId: string): Promise<{ rows: number; events: number }> {
  const [raw] = await clickhouse.rows<{ n: string }>(
    'SELECT count() AS n FROM daodao.user_events WHERE user_id = {user:String}',
    { user: userId },
  );
  const [merged] = await clickhouse.rows<{ n: string }>(
    'SELECT count() AS n FROM daodao.user_events FINAL WHERE user_id = {user:String}',
    { user: userId },
  );
  return { rows: Number(raw!.n), events: Number(merged!.n) };
}

async function forwardAll(db: Queryable = database.pool): Promise<number> {
  let total = 0;
  for (let sent = -1; sent !== 0; total += sent) {
    sent = (await forwardEvents(db, clickhouse.client, 100)).events;
  }
  return total;
}

test('an event arrives as it was told, to the millisecond', async () => {
  const user = randomUUID();
  const inUtc = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000 + 567).toISOString();
  const inTaipei = new Date(Date.parse(inUtc) + 8 * 3_600_000).toISOString().replace('Z', '+08:00');
  const told = event({
    event_type: 'time_spent',
    page: '/practices/一',
    duration_ms: 2500,
    value: 0.5,
    match_reason: 'tag_match',
    occurred_at: inTaipei,
  });
  await storeEvents(database.pool, user, [told]);
  assert.equal(await forwardAll(), 1);
  const [row] = await clickhouse.rows<Record<string, unknown>>(
    'SELECT * FROM daodao.user_events FINAL WHERE user_id = {user:String}',
    { user },
  );
  const { received_at: receivedAt, ...rest } = row!;
  assert.deepEqual(rest, {
    ...told,
    user_id: user,
    owner_id: null,
    occurred_at: inUtc.replace('T', ' ').replace('Z', ''),
  });
  assert.ok(Math.abs(Date.parse(`${String(receivedAt)}Z`) - Date.now()) < 60_000);
});

test('an event that is sent again is stored once, for each user', async () => {
  const [user, other] = [randomUUID(), randomUUID()];
  const events = batch(3);
  assert.equal(await storeEvents(database.pool, user, [...events, events[0]!]), 3);
  assert.equal(await storeEvents(database.pool, user, [...events, event()]), 1);
  assert.equal(await storeEvents(database.pool, other, events), 3);
  await forwardAll();
  assert.deepEqual(await held(user), { rows: 4, events: 4 });
  assert.equal(await storeEvents(database.pool, user, events), 0);
  assert.equal(await forwardAll(), 0);
});

test('who is killed between the insert and the note sends the batch again, and nothing is there twice', async () => {
  const user = randomUUID();
  await storeEvents(database.pool, user, batch(50));
  let isKilled = false;
  const dying: Queryable = {
    query: (text: string, values?: unknown[]) => {
      if (text.includes('sent_at = now()') && !isKilled) {
        isKilled = true;
        return Promise.reject(new Error('killed'));
      }
      return database.pool.query(text, values);
    },
  };
  await assert.rejects(forwardEvents(dying, clickhouse.client, 100), /killed/);
  assert.equal(await forwardAll(), 0, 'it may still be on its way');
  await database.pool.query(
    `UPDATE ai.events_outbox SET taken_at = taken_at - interval '1 minute'`,
  );
  assert.equal(await forwardAll(), 50);
  assert.deepEqual(await held(user), { rows: 100, events: 50 });
});

test('what ClickHouse did not take is sent again at once', async () => {
  const user = randomUUID();
  await storeEvents(database.pool, user, batch(5));
  const away = await connectClickhouse({ clickhouseUrl: 'http://127.0.0.1:9' });
  await assert.rejects(forwardEvents(database.pool, away, 100));
  await away.close();
  assert.equal((await measureOutbox(database.pool, 1000)).events, 5);
  assert.equal(await forwardAll(), 5);
  assert.deepEqual(await measureOutbox(database.pool, 1000), { events: 0, ageMs: 0 });
  assert.deepEqual(await held(user), { rows: 5, events: 5 });
});

test('what ClickHouse took without being heard is sent again, and nothing is there twice', async (t) => {
  const user = randomUUID();
  await storeEvents(database.pool, user, batch(20));
  const proxy = await startFlakyProxy(t, clickhouse.url);
  proxy.mode = 'mute';
  const deaf = await connectClickhouse({ clickhouseUrl: proxy.url.replace('redis:', 'http:') });
  atEnd(t, () => deaf.close());
  const sending = assert.rejects(forwardEvents(database.pool, deaf, 100));
  await eventually('they are there', async () => (await held(user)).rows === 20);
  proxy.cut();
  await sending;
  assert.equal(await forwardAll(), 20);
  // The two of each are one row sooner or later.
  assert.equal((await held(user)).events, 20);
});

test('an event that ClickHouse refuses is put aside with what it says, and holds up no other', async () => {
  const user = randomUUID();
  const alter = (change: string) =>
    clickhouse.client.command({ query: `ALTER TABLE daodao.user_events ${change}` });
  await alter(`ADD CONSTRAINT odd CHECK entity_id != 'odd'`);
  try {
    const odd = [event({ entity_id: 'odd' }), event({ entity_id: 'odd' })];
    await storeEvents(database.pool, user, [...batch(30), odd[0]!, ...batch(17), odd[1]!]);
    assert.deepEqual(await forwardEvents(database.pool, clickhouse.client, 100), {
      events: 49,
      refused: 2,
    });
    assert.equal((await held(user)).events, 47);
    const { rows } = await database.pool.query<{ event_id: string; refusal: string }>(
      'SELECT event_id, refusal FROM ai.events_outbox WHERE user_id = $1 AND sent_at IS NULL',
      [user],
    );
    assert.deepEqual(
      rows.map(({ event_id }) => event_id).toSorted(),
      odd.map(({ event_id }) => event_id).toSorted(),
    );
    assert.match(rows[0]!.refusal, /constraint/i);
    assert.deepEqual(await measureOutbox(database.pool, 100), { events: 0, ageMs: 0 });
    await storeEvents(database.pool, user, batch(3));
    assert.equal(await forwardAll(), 3);
  } finally {
    await alter('DROP CONSTRAINT odd');
  }
});

test('the time zone of a session is nobody else’s', async () => {
  const user = randomUUID();
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const told = event({ occurred_at: `${yesterday}T23:30:00.007Z` });
  const session = await database.pool.connect();
  try {
    await session.query(`SET TIME ZONE 'Asia/Taipei'`);
    const inTaipei: Queryable = {
      query: (text: string, values?: unknown[]) => session.query(text, values),
    };
    await storeEvents(inTaipei, user, [told]);
    assert.equal(await forwardAll(inTaipei), 1);
  } finally {
    session.release(true);
  }
  const rows = await clickhouse.rows(
    'SELECT occurred_at, now() - received_at < 60 AS isNow FROM daodao.user_events WHERE user_id = {user:String}',
    { user },
  );
  assert.deepEqual(rows, [{ occurred_at: `${yesterday} 23:30:00.007`, isNow: 1 }]);
});

test('several senders share the work', async () => {
  const user = randomUUID();
  await storeEvents(database.pool, user, batch(500));
  const sent = await Promise.all(Array.from({ length: 4 }, () => forwardAll()));
  assert.equal(
    sent.reduce((a, b) => a + b),
    500,
  );
  assert.deepEqual(await held(user), { rows: 500, events: 500 });
});

test('sent events are forgotten once no repeat can come, others never', async () => {
  const user = randomUUID();
  await storeEvents(database.pool, user, batch(3));
  await forwardAll();
  await storeEvents(database.pool, user, batch(2));
  const back = (hours: number) =>
    database.pool.query(
      `UPDATE ai.events_outbox SET received_at = now() - $2 * interval '1 hour' WHERE user_id = $1`,
      [user, hours],
    );
  await back(48.5);
  assert.equal(await pruneEvents(database.pool, 1000), 0);
  await back(50);
  assert.equal(await pruneEvents(database.pool, 2), 2);
  assert.equal(await pruneEvents(database.pool, 1000), 1);
  const { rowCount } = await database.pool.query(
    'SELECT FROM ai.events_outbox WHERE user_id = $1',
    [user],
  );
  assert.equal(rowCount, 2);
});
