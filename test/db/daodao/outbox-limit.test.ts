/**
 * How many events of one person the outbox holds.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { storeEvents, type BehaviourEvent } from '../../../db/daodao/events.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

const batch = (count: number): BehaviourEvent[] =>
  Array.from({ length: count }, () => ({
    event_id: randomUUID(),
    event_type: 'content_view',
    entity_type: 'practice',
    entity_id: randomUUID(),
    occurred_at: new Date().toISOString(),
  }));

const store = (user: string, events: BehaviourEvent[]) =>
  storeEvents(database.pool, user, events, 10);

function isExceeded(error: unknown): boolean {
  assert.ok(error instanceof AppError);
  assert.deepEqual(
    [error.code, error.status, error.retryAfterSeconds],
    ['QUOTA_EXCEEDED', 429, 3600],
  );
  assert.deepEqual(error.details, { quota: 'events', limit: 10 });
  return true;
}

async function held(user: string): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM ai.events_outbox WHERE user_id = $1',
    [user],
  );
  return rows[0]!.n;
}

test('a batch that would exceed the limit of a person is refused whole; others are not affected', async () => {
  const [user, other] = [randomUUID(), randomUUID()];
  assert.equal(await store(user, batch(8)), 8);
  await assert.rejects(store(user, batch(3)), isExceeded);
  assert.equal(await held(user), 8, 'nothing of a refused batch is stored');
  assert.equal(await store(user, batch(2)), 2);
  await assert.rejects(store(user, batch(1)), isExceeded);
  assert.equal(await store(other, batch(10)), 10);
});

test('sent and refused events count until they are deleted', async () => {
  const user = randomUUID();
  await store(user, batch(10));
  await database.pool.query('UPDATE ai.events_outbox SET sent_at = now() WHERE user_id = $1', [
    user,
  ]);
  await assert.rejects(store(user, batch(1)), isExceeded);
  await database.pool.query('DELETE FROM ai.events_outbox WHERE user_id = $1', [user]);
  assert.equal(await store(user, batch(10)), 10);
});

test('requests at the same time exceed the limit by no more than what they store', async () => {
  const user = randomUUID();
  await Promise.allSettled(Array.from({ length: 8 }, () => store(user, batch(5))));
  const most = 10 + 8 * 5;
  assert.ok((await held(user)) <= most);
  await assert.rejects(store(user, batch(5)), isExceeded);
});
