/**
 * What a refresh of everyone costs each of many people, and each of those who are left when most have gone.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Behaviour } from '../../../db/daodao/behaviour.ts';
import { isRedisUnavailable } from '../../../base/redis/unavailable.ts';
import { Cache } from '../../../db/stores/cache.ts';
import { VectorIndex } from '../../../db/daodao/vector-index.ts';
import { prepareVectors } from '../../../db/daodao/vector-collections.ts';
import { refreshEveryone } from '../../../jobs/recommendations/refresh.ts';
import { packagePath } from '../../../base/package-path.ts';
import { atEnd } from '../../support/at-end.ts';
import { startTestClickhouse } from '../../support/stores/clickhouse.ts';
import { createCommunity } from '../../support/domain/community.ts';
import { createContext } from '../../support/domain/context.ts';
import { createTestDatabase } from '../../support/stores/postgres.ts';
import { startTestVectorStore } from '../../support/stores/vector-store.ts';
import { report, sizesOf } from '../experiment.ts';
import type { Place } from './reads-main.ts';

const SIZES = sizesOf('scale', {
  users: { ci: 600, full: 20_000 },
  practices: { ci: 500, full: 50_000 },
  /** What people did. */
  events: { ci: 10_000, full: 5_000_000 },
  /** Length of the vectors. */
  dimensions: { ci: 32, full: 768 },
  /** How often a hundred of them read what is cached. */
  reads: { ci: 2, full: 30 },
});
/** How many there are for each that is left: what looks at everyone for each of them costs so many times as much. */
const TIMES = 8;
/** How much more a refresh may ask and read for each of many. */
const MOST_GROWTH = 1.2;
/** What may be held in memory for each further person, in kB: less than the cards of one. */
const MOST_KB = 3;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Of one refresh of everyone: for each person, but for the memory. Time is told, and no promise. */
interface Cost {
  ms: number;
  /** Sent to Postgres, ClickHouse and the vector store. */
  questions: number;
  /** Read from Postgres. */
  rows: number;
  /** More than before it, at most, at the ends of its pages. */
  heldKb: number;
}

async function startCommunity(t: TestContext) {
  const redisUrl = process.env['TEST_REDIS_URL']!;
  const [database, clickhouse, store] = await Promise.all([
    createTestDatabase(),
    startTestClickhouse(),
    startTestVectorStore(),
  ]);
  const prefix = `scale-${randomUUID()}`;
  const cache = new Cache(redisUrl, prefix);
  atEnd(t, async () => {
    cache.close();
    await Promise.all([store.stop(), clickhouse.stop(), database.drop()]);
  });
  const model = { name: 'generated', size: SIZES.dimensions };
  await prepareVectors(store.client, model);
  const db = database.pool;
  const all = new VectorIndex(async () => store.client, model);
  await createCommunity(
    { db, vectors: all, clickhouse: clickhouse.client },
    SIZES,
    SIZES.dimensions,
  );

  let [questions, rows] = [0, 0];
  const counted = <T>(client: T): T => {
    questions++;
    return client;
  };
  const query = async (text: string, values?: unknown[]) => {
    const result = await counted(db).query(text, values);
    rows += result.rowCount ?? 0;
    return result;
  };

  /** Refreshes everyone once, of whom there are so many. On a busy machine a command of the cache may take too long; its task would be retried. */
  async function refresh(users: number): Promise<Cost> {
    for (;;) {
      try {
        return await refreshOnce(users);
      } catch (error) {
        if (!isRedisUnavailable(error)) throw error;
      }
    }
  }

  async function refreshOnce(users: number): Promise<Cost> {
    [questions, rows] = [0, 0];
    collect();
    const before = process.memoryUsage().heapUsed;
    let [most, collectingMs] = [0, 0];
    const context = {
      ...createContext({
        llm: { chat: () => Promise.reject(new Error('no model')) },
        db: { query: query as typeof db.query },
      }),
      cache,
      vectors: new VectorIndex(async () => counted(store.client), model),
      events: new Behaviour(async () => counted(clickhouse.client)),
      progress() {
        const beganMs = performance.now();
        collect();
        collectingMs += performance.now() - beganMs;
        most = Math.max(most, process.memoryUsage().heapUsed - before);
      },
    };
    const startedMs = performance.now();
    const refreshed = await refreshEveryone(context, 60_000);
    const tookMs = performance.now() - startedMs - collectingMs;
    assert.deepEqual(refreshed, { users, missing: [] });
    const each = { ms: tookMs / users, questions: questions / users, rows: rows / users };
    return { ...each, heldKb: most / 1024 };
  }

  /** Those who are left have the practices of all. */
  async function leave(left: number): Promise<void> {
    const { rows: people } = await db.query<{ id: number }>('SELECT id FROM users ORDER BY id');
    const ids = people.slice(0, left).map(({ id }) => id);
    await db.query('UPDATE practices SET user_id = ($1::int[])[1 + id % $2::int]', [ids, left]);
    await db.query('DELETE FROM users WHERE id <> ALL($1)', [ids]);
  }

  const place = { databaseUrl: database.url, redisUrl, prefix, rounds: SIZES.reads };
  return { refresh, leave, storePid: store.pid, place };
}

/** Of cached reads, in ms, the shortest first. */
async function readTimes(place: Place): Promise<number[]> {
  const file = packagePath('dist', 'test', 'faults', 'scale', 'reads-main.js');
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(place)]);
  return (JSON.parse(stdout) as number[]).toSorted((a, b) => a - b);
}

async function peakMb(pid: number | undefined): Promise<number> {
  if (pid === undefined || process.platform !== 'linux') return 0;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

const say = (cost: Cost): string =>
  `${cost.ms.toFixed(2)} ms, ${cost.questions.toFixed(2)} questions and ${cost.rows.toFixed(1)} rows for each, ` +
  `${Math.round(cost.heldKb)} kB held`;

test('a refresh of everyone costs each of many people as much as each of few', async (t) => {
  const community = await startCommunity(t);
  const large = await community.refresh(SIZES.users);
  const reads = await readTimes(community.place);
  const left = Math.ceil(SIZES.users / TIMES);
  await community.leave(left);
  const small = await community.refresh(left);
  t.diagnostic(`${left} people: ${say(small)}`);
  const violations: string[] = [];
  const hold = (isHeld: boolean, broken: string) => void (isHeld || violations.push(broken));
  hold(large.questions < 1, `${large.questions} questions for each person`);
  for (const name of ['questions', 'rows'] as const) {
    const times = large[name] / small[name];
    hold(times <= MOST_GROWTH, `${name}: ${times.toFixed(2)} times as many for each`);
  }
  const heldFor = (large.heldKb - small.heldKb) / (SIZES.users - left);
  hold(heldFor <= MOST_KB, `${heldFor.toFixed(1)} kB are held for each person`);

  const at = (part: number): string => reads[Math.floor(reads.length * part)]!.toFixed(1);
  report(t, {
    figure: `${SIZES.users} people refreshed, ${SIZES.practices} practices, ${SIZES.events} events, vectors of ${SIZES.dimensions}`,
    result:
      `${say(large)}; vector store ${await peakMb(community.storePid)} MB at most; ` +
      `cached read p50 ${at(0.5)} ms, p99 ${at(0.99)}`,
    violations,
  });
});
