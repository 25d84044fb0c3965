/**
 * All that recommendations are made of, for one test file: people, practices, events and vectors in real stores, and
 * attempts at the task that puts them in order.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach } from 'node:test';
import { Behaviour } from '../../../db/daodao/behaviour.ts';
import { Cache } from '../../../db/stores/cache.ts';
import type { Clickhouse } from '../../../db/stores/clickhouse.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { VectorIndex } from '../../../db/daodao/vector-index.ts';
import { ALIASES, prepareVectors, type Kind } from '../../../db/daodao/vector-collections.ts';
import {
  cardsKey,
  POPULAR_KEY,
  type CardList,
  type RankedCard,
} from '../../../jobs/recommendations/cards.ts';
import type { Refreshed } from '../../../jobs/recommendations/refresh.ts';
import { refreshRecommendationCache } from '../../../jobs/recommendations/task.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import type { Resources } from '../../../jobs/resources.ts';
import type { ThreadScope } from '../../../workers/thread/context.ts';
import type { AttemptEnd, ThreadJob } from '../../../workers/protocol.ts';
import type { Stop } from '../../../workers/thread/stop.ts';
import { database, live, rowOf, scope, scopeWith } from '../threads/attempts.ts';
import { startTestClickhouse, type TestClickhouse } from '../stores/clickhouse.ts';
import { insertPractice, insertUser } from './practices.ts';
import { createTestRedis, type TestRedis } from '../stores/redis.ts';
import { request } from '../tasks.ts';
import { startTestVectorStore, type TestVectorStore } from '../stores/vector-store.ts';

const MODEL = { name: 'plain', size: 4 };

let clickhouse: TestClickhouse;
let store: TestVectorStore;
let redis: TestRedis;
let cache: Cache;

before(async () => {
  [clickhouse, store] = await Promise.all([startTestClickhouse(), startTestVectorStore()]);
  await prepareVectors(store.client, MODEL);
  redis = createTestRedis();
  cache = new Cache(redis.url, redis.prefix);
});
/** Each test begins with nobody and nothing. */
beforeEach(async () => {
  await database.pool.query(
    'TRUNCATE users, practices, practice_checkins, ai.recommendation_feedback CASCADE',
  );
  await clickhouse.client.command({ query: 'TRUNCATE TABLE daodao.user_events' });
  for (const alias of Object.values(ALIASES)) {
    await store.client.delete(alias, { filter: {}, wait: true });
  }
  await redis.flush();
});
after(async () => {
  cache.close();
  await redis.clear();
  await store.stop();
  await clickhouse.stop();
});

/** The vectors, by way of a client that is there once this is done. */
export function vectorsAfter(ready: () => Promise<unknown>): VectorIndex {
  return new VectorIndex(async () => {
    await ready();
    return store.client;
  }, MODEL);
}

type Payload = { userId?: string };

/** A refresh that is accepted and not begun. */
export async function acceptRefresh(payload: Payload): Promise<ThreadJob> {
  const { name: task } = refreshRecommendationCache;
  const text = JSON.stringify(payload);
  const { id } = await acceptTask(database.pool, request({ name: task, payload: text }));
  const facts = { queue: 'default', headers: {}, attempts: 0, createdAtMs: Date.now() };
  return { ...facts, id, task, payload: text };
}

export async function attemptAt(
  job: ThreadJob,
  given: Partial<Resources> = {},
  stop: Stop = live,
  tell: ThreadScope['tell'] = scope.tell,
): Promise<AttemptEnd> {
  const events = new Behaviour(async () => clickhouse.client);
  const stores = { cache, events, vectors: vectorsAfter(async () => undefined) };
  return attempt(job, { ...scopeWith({ ...stores, ...given }), tell }, stop);
}

/** Runs one attempt at a job, which must succeed. */
export async function resultOf(job: ThreadJob, given?: Partial<Resources>): Promise<Refreshed> {
  const outcome = await attemptAt(job, given);
  assert.equal(outcome.kind, 'succeeded', JSON.stringify(outcome));
  return (await rowOf(job)).result as Refreshed;
}

/** Refreshes everyone, or one person. */
export async function refresh(payload: Payload, given?: Partial<Resources>): Promise<Refreshed> {
  return resultOf(await acceptRefresh(payload), given);
}

async function held(key: string): Promise<{ version: number; cards: RankedCard[] } | undefined> {
  const found = await cache.get<CardList>(key);
  return found && { version: found.version, cards: found.value.cards };
}

export async function cardsOf(userId: string): Promise<RankedCard[]> {
  return (await held(cardsKey(userId)))?.cards ?? [];
}

/** External ids of the practices in the order of the cards. */
export async function orderOf(userId: string): Promise<string[]> {
  return (await cardsOf(userId)).map(({ id }) => id);
}

/** Undefined when there are no cards. */
export async function versionOf(userId: string): Promise<number | undefined> {
  return (await held(cardsKey(userId)))?.version;
}

/** What is shown to those who have no cards; version 0 when there is nothing. */
export async function popular(): Promise<{ version: number; order: string[] }> {
  const { version = 0, cards = [] } = (await held(POPULAR_KEY)) ?? {};
  return { version, order: cards.map(({ id }) => id) };
}

/** External ids of new practices that are equal but for their ids, the lowest first: the order of what nothing tells apart. */
export async function practicesOf(
  ownerId: number,
  count: number,
  columns: Record<string, unknown> = {},
): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID()).toSorted();
  for (const id of ids) {
    const shared = { status: 'active', privacy_status: 'public' };
    await insertPractice(database.pool, ownerId, { ...shared, ...columns, external_id: id });
  }
  return ids;
}

/** The same by the names a test has for them, in the order of the names. */
export async function practicesNamed<const Name extends string>(
  ownerId: number,
  names: readonly Name[],
  columns: Record<string, unknown> = {},
): Promise<Record<Name, string>> {
  const ids = await practicesOf(ownerId, names.length, columns);
  const entries = names.map((name, at) => [name, ids[at]] as const);
  return Object.fromEntries(entries) as Record<Name, string>;
}

/** A person whose practices others are shown, by their names. */
export async function ownerOf<const Name extends string>(
  ...names: readonly Name[]
): Promise<{ owner: string } & Record<Name, string>> {
  const { id, externalId } = await insertUser(database.pool);
  return { owner: externalId, ...(await practicesNamed(id, names)) };
}

export async function member(columns: Record<string, unknown> = {}): Promise<string> {
  return (await insertUser(database.pool, columns)).externalId;
}

/** Gives a vector to a person or to a practice of somebody. */
export async function place(kind: Kind, id: string, vector: number[], owner = id): Promise<void> {
  const payload = { owner, privacy: 'public', status: 'active' };
  await vectorsAfter(async () => undefined).write(kind, 1, [{ id, vector, payload }]);
}

/** That somebody has looked at a practice; somebody nobody knows, unless it is said who. */
export interface View {
  user?: string;
  practice: string;
}

/** Where events are read from. */
export const eventStore = (): Clickhouse => clickhouse.client;

/** Stores what people did today. */
export async function did(...acts: readonly (View & { type: string })[]): Promise<void> {
  const at = new Date().toISOString();
  const { rows } = await database.pool.query<{ id: string; owner: string }>(
    `SELECT p.external_id AS id, u.external_id AS owner FROM practices p JOIN users u ON u.id = p.user_id`,
  );
  const owners = new Map(rows.map(({ id, owner }) => [id, owner]));
  await clickhouse.client.insert({
    table: 'daodao.user_events',
    format: 'JSONEachRow',
    values: acts.map(({ user = randomUUID(), type, practice }) => ({
      event_id: randomUUID(),
      user_id: user,
      event_type: type,
      entity_type: 'practice',
      entity_id: practice,
      owner_id: owners.get(practice) ?? null,
      occurred_at: at,
      received_at: at,
    })),
  });
}

/** Stores views of today. */
export async function looked(...views: readonly View[]): Promise<void> {
  await did(...views.map((view) => ({ ...view, type: 'content_view' })));
}
