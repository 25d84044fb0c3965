/**
 * What a page of cards costs the stores, and that it is never stale.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test, type TestContext } from 'node:test';
import { Cache } from '../../../db/stores/cache.ts';
import { cardsKey, POPULAR_KEY } from '../../../jobs/recommendations/cards.ts';
import { insertPractice, insertUser } from '../../support/domain/practices.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { commandsDuring, createTestRedis, type TestRedis } from '../../support/stores/redis.ts';
import { bearer, createWorld, open, user } from '../fixture.ts';

let database: TestDatabase;
let redis: TestRedis;
let cache: Cache;
let practices: string[];
before(async () => {
  database = await createTestDatabase();
  redis = createTestRedis();
  cache = new Cache(redis.url, redis.prefix);
  const { id } = await insertUser(database.pool);
  const made = Array.from({ length: 3 }, () =>
    insertPractice(database.pool, id, { privacy_status: 'public' }),
  );
  practices = (await Promise.all(made)).map(({ externalId }) => externalId);
});
after(async () => {
  cache.close();
  await redis.clear();
  await database.drop();
});

async function openCards(t: TestContext) {
  await redis.flush();
  const world = createWorld();
  Object.assign(world.deps, { db: database.pool, reader: database.reader, cache });
  const app = await open(t, world);
  const userId = randomUUID();
  const headers = await bearer(user({ _id: userId }));
  return {
    userId,
    /** Ids of the cards that are shown. */
    async read(): Promise<string[]> {
      const answer = await app.inject({ url: '/users/me/recommendations', headers });
      assert.equal(answer.statusCode, 200, answer.body);
      return answer
        .json<{ items: { practice_id: string }[] }>()
        .items.map(({ practice_id: id }) => id);
    },
  };
}

const keep = (key: string) => {
  const cards = practices.map((id) => ({ id, reason: 'popular_content' }));
  return cache.set(key, 1, { cards }, 60);
};

/** How often each statement was made, the rarest first. */
function countsOf(statements: readonly unknown[]): number[] {
  const counts = new Map<unknown, number>();
  for (const text of statements) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts.values()].toSorted((a, b) => a - b);
}

test('what is not cached is computed once for fifty who ask at once, and for those who ask soon after', async (t) => {
  const { read } = await openCards(t);
  const queries = t.mock.method(database.reader, 'query');
  const shown = await Promise.all(Array.from({ length: 50 }, read));
  shown.push(await read());
  for (const cards of shown) assert.deepEqual(cards.toSorted(), practices.toSorted());
  const statements = queries.mock.calls.map((call) => call.arguments[0]);
  assert.deepEqual(countsOf(statements), [1, 1, 51], 'two that rank, one that shows');
});

test("a page of the user's own cards is one command and one query", async (t) => {
  const { userId, read } = await openCards(t);
  await keep(cardsKey(userId));
  const queries = t.mock.method(database.reader, 'query');
  const commands = await commandsDuring(redis, async () =>
    assert.deepEqual(await read(), practices),
  );
  assert.deepEqual([commands.length, queries.mock.callCount()], [1, 1]);
});

test('so is one of the popular cards, once one has been read', async (t) => {
  const { read } = await openCards(t);
  await keep(POPULAR_KEY);
  await read();
  const queries = t.mock.method(database.reader, 'query');
  const commands = await commandsDuring(redis, async () =>
    assert.deepEqual(await read(), practices),
  );
  assert.deepEqual([commands.length, queries.mock.callCount()], [1, 1]);
});

test('a practice that is hidden meanwhile is not shown', async (t) => {
  const { read } = await openCards(t);
  assert.equal((await read()).length, 3);
  const set = (privacy: string) =>
    database.pool.query('UPDATE practices SET privacy_status = $2 WHERE external_id = $1', [
      practices[0],
      privacy,
    ]);
  await set('private');
  assert.deepEqual((await read()).toSorted(), practices.slice(1).toSorted());
  await set('public');
});
