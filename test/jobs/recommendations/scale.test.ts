/**
 * What a refresh of everyone costs. Larger by command, with a community such as 20,000 users, 50,000 practices and 5 million
 * events:
 *
 *     SCALE=20000x50000x5000000x768 npm test -- recommendations/scale
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packagePath } from '../../../package-path.ts';
import { Behaviour } from '../../../db/behaviour.ts';
import { Cache } from '../../../db/cache.ts';
import { VectorIndex } from '../../../db/vector-index.ts';
import { prepareVectors } from '../../../db/vectors.ts';
import { refreshEveryone } from '../../../jobs/recommendations/refresh.ts';
import { startTestClickhouse, type TestClickhouse } from '../../support/clickhouse.ts';
import { createCommunity, type Community } from '../../support/community.ts';
import { createContext } from '../../support/context.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startTestVectorStore, type TestVectorStore } from '../../support/vector-store.ts';
import type { Place } from './reads-main.ts';

const redisUrl = process.env['TEST_REDIS_URL']!;

/** Queries of each kind that a refresh sends, for one user of a page. */
interface Cost {
  users: number;
  msPerUser: number;
  queriesPerUser: number;
  storeMb: number;
  ownMb: number;
  /** Of cached reads: the median, and what 99 of 100 stay below. */
  readMs: { p50: number; p99: number };
}

async function measure(community: Community, size: number): Promise<Cost> {
  const [database, clickhouse, store] = await Promise.all([
    createTestDatabase(),
    startTestClickhouse(),
    startTestVectorStore(),
  ]);
  const prefix = `scale-${randomUUID()}`;
  const cache = new Cache(redisUrl, prefix);
  try {
    return await costOf(community, size, { database, clickhouse, store, cache, prefix });
  } finally {
    cache.close();
    await store.stop();
    await clickhouse.stop();
    await database.drop();
  }
}

interface Stores {
  database: TestDatabase;
  clickhouse: TestClickhouse;
  store: TestVectorStore;
  cache: Cache;
  prefix: string;
}

async function costOf(community: Community, size: number, stores: Stores): Promise<Cost> {
  const { database, clickhouse, store, cache, prefix } = stores;
  const db = database.pool;
  const model = { name: 'generated', size };
  const { client } = store;
  await prepareVectors(client, model);
  const vectors = new VectorIndex(async () => client, model);
  await createCommunity({ db, vectors, clickhouse: clickhouse.client }, community, size);
  let queries = 0;
  const counting = {
    query: ((text: string, values?: unknown[]) => {
      queries++;
      return db.query(text, values);
    }) as typeof db.query,
  };
  const context = {
    ...createContext({ llm: { chat: () => Promise.reject(new Error('no model')) }, db: counting }),
    cache,
    vectors,
    events: new Behaviour(async () => clickhouse.client),
  };
  const startedMs = performance.now();
  const refreshed = await refreshEveryone(context, 60_000);
  const tookMs = performance.now() - startedMs;
  assert.deepEqual(refreshed, { users: community.users, missing: [] });
  const times = await readTimes({ databaseUrl: database.url, redisUrl, prefix });
  return {
    users: community.users,
    msPerUser: tookMs / community.users,
    queriesPerUser: queries / community.users,
    storeMb: await peakMb(store.pid),
    ownMb: await peakMb(process.pid),
    readMs: {
      p50: times[Math.floor(times.length * 0.5)]!,
      p99: times[Math.floor(times.length * 0.99)]!,
    },
  };
}

/** Of cached reads, in ms, the shortest first. */
async function readTimes(place: Place): Promise<number[]> {
  const file = packagePath('dist', 'test', 'jobs', 'recommendations', 'reads-main.js');
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(place)]);
  return (JSON.parse(stdout) as number[]).toSorted((a, b) => a - b);
}

async function peakMb(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

const say = (cost: Cost): string =>
  `${cost.users} users: ${cost.msPerUser.toFixed(2)} ms and ${cost.queriesPerUser.toFixed(2)} queries a user, ` +
  `vector store ${cost.storeMb} MB, this process ${cost.ownMb} MB, ` +
  `cached read p50 ${cost.readMs.p50.toFixed(1)} ms, p99 ${cost.readMs.p99.toFixed(1)} ms`;

const wanted = process.env['SCALE']?.split('x').map(Number);

if (wanted === undefined) {
  test('a refresh costs as much for each of 2,000 users as for each of 500', async (t) => {
    const rest = { practices: 5000, events: 200_000 };
    const few = await measure({ users: 500, ...rest }, 256);
    const many = await measure({ users: 2000, ...rest }, 256);
    t.diagnostic(say(few));
    t.diagnostic(say(many));
    assert.ok(many.msPerUser <= few.msPerUser * 1.2, 'it grows with the number of users');
    assert.ok(many.queriesPerUser <= few.queriesPerUser * 1.2);
  });
} else {
  test('a refresh of the community that was asked for', async (t) => {
    const [users = 0, practices = 0, events = 0, size = 768] = wanted;
    t.diagnostic(say(await measure({ users, practices, events }, size)));
  });
}
