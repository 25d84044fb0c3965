/**
 * Redis is killed, emptied, paused, filled and robbed of what it has not synced, while durable tasks flow.
 */
import { readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { atEnd } from '../../support/at-end.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { stretched } from '../../support/patience.ts';
import { startFlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { ownRedis, type OwnRedis } from '../../support/stores/own-redis.ts';
import { createTestDatabase } from '../../support/stores/postgres.ts';
import { chance, report, sizesOf } from '../experiment.ts';
import { startFlow } from './work/flow.ts';
import { violationsOfChords } from './work/chords.ts';
import { violationsOf } from './work/ledger.ts';
import { openStage } from './stage.ts';

const SIZES = sizesOf('redis-storm', {
  kills: { ci: 3, full: 50 },
  flushes: { ci: 1, full: 10 },
  pauses: { ci: 1, full: 10 },
  fills: { ci: 1, full: 10 },
  cuts: { ci: 1, full: 10 },
});
const LEASE_MS = stretched(1000);
const PACE_MS = 40;
/** Jobs that must end between two faults. */
const BETWEEN = 10;
/** Redis syncs its file once a second: what is older is on the disk. */
const SYNC_MS = 1000;

const { integer, next } = chance();

test('a storm on Redis', async (t) => {
  const database = await createTestDatabase();
  atEnd(t, () => database.drop());
  const own = await ownRedis(t);
  const proxy = await startFlakyProxy(t, own.url);
  const stage = await openStage(t, {
    redisUrl: proxy.url,
    databaseUrl: database.url,
    db: database.pool,
    leaseMs: LEASE_MS,
  });
  await stage.startScheduler();
  for (let i = 0; i < 2; i++) stage.startWorker();
  await Promise.all(stage.workers.map(({ ready }) => ready));
  const restart = async (): Promise<void> => {
    await own.restart();
    proxy.target = own.url;
    proxy.cut();
  };
  const tail = watchFile(t, own);
  const seen = { cutBytes: 0, refusals: 0 };
  const violations: string[] = [];
  const faults: Record<string, () => Promise<unknown>> = {
    kills: restart,
    flushes: () => ask(own.url, (redis) => redis.flushall()),
    pauses: async () => {
      own.pause();
      await sleep(3 * LEASE_MS);
      own.resume();
    },
    fills: async () => {
      const before = await ask(own.url, refusalsOf);
      await ask(own.url, (redis) => redis.config('SET', 'maxmemory', '1mb'));
      const refused = async (): Promise<number> => (await ask(own.url, refusalsOf)) - before;
      await eventually('it refuses something', async () => (await refused()) > 0);
      seen.refusals += await refused();
      await ask(own.url, (redis) => redis.config('SET', 'maxmemory', '0'));
    },
    cuts: async () => {
      let bytes = 0;
      await eventually('there is something to lose', () => (bytes = tail.unsynced()) > 0);
      own.kill();
      tail.cut(bytes);
      seen.cutBytes += bytes;
      await restart();
    },
  };

  const flow = startFlow(stage, integer, PACE_MS);
  const plan = Object.entries(SIZES)
    .flatMap(([name, count]) => Array.from({ length: count }, () => ({ name, at: next() })))
    .toSorted((a, b) => a.at - b.at);
  let slowestMs = 0;
  for (const { name } of plan) {
    await faults[name]!();
    const [healedMs, ended] = [performance.now(), flow.ended()];
    await eventually(`work goes on after ${name}`, () => flow.ended() >= ended + BETWEEN);
    slowestMs = Math.max(slowestMs, performance.now() - healedMs);
  }
  const drainedMs = await flow.drain();
  violations.push(...(await violationsOf(stage.db, stage.file, flow.accepted)));
  violations.push(...(await violationsOfChords(stage.db, stage.file, flow.chords)));
  violations.push(...flow.refused.map((error) => `refused: ${String(error)}`));
  const { kills, flushes, pauses, fills, cuts } = SIZES;
  report(t, {
    figure: `Redis killed ${kills} x, emptied ${flushes} x, paused ${pauses} x, full ${fills} x, its unsynced writes lost ${cuts} x`,
    result: `${violations.length} violations in ${flow.accepted.size} accepted tasks, ${flow.chords.length} chords among them; ${seen.cutBytes} bytes cut; ${seen.refusals} commands refused for lack of memory; ten more done after ${Math.round(slowestMs)} ms at most, drained in ${Math.round(drainedMs)} ms`,
    violations,
  });
});

async function ask<T>(url: string, command: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await command(redis);
  } finally {
    redis.disconnect();
  }
}

/** How many commands Redis has refused for lack of memory since it was started. */
async function refusalsOf(redis: Redis): Promise<number> {
  const stats = await redis.info('errorstats');
  return Number(/^errorstat_OOM:count=(\d+)/m.exec(stats)?.[1] ?? 0);
}

interface Tail {
  /** Bytes that were written in the last second. */
  unsynced(): number;
  /** Takes the last of the file away. */
  cut(bytes: number): void;
}

/** Stands in for a power cut: what was written to the file in its last second counts as never synced. */
function watchFile(t: TestContext, { folder }: OwnRedis): Tail {
  const measure = (): { file: string; bytes: number } | undefined => {
    const files = readdirSync(path.join(folder, 'appendonlydir')).filter((name) =>
      name.endsWith('.incr.aof'),
    );
    if (files.length !== 1) return undefined;
    const file = path.join(folder, 'appendonlydir', files[0]!);
    return { file, bytes: statSync(file).size };
  };
  const sizes: { atMs: number; file: string; bytes: number }[] = [];
  const look = (): void => {
    const now = measure();
    if (now === undefined) return;
    sizes.push({ atMs: performance.now(), ...now });
    if (sizes.length > 100) sizes.shift();
  };
  const timer = setInterval(look, 50);
  atEnd(t, () => clearInterval(timer));
  const unsynced = (): number => {
    const now = measure();
    const synced = sizes.findLast(
      ({ file, atMs }) => file === now?.file && atMs < performance.now() - SYNC_MS,
    );
    return now === undefined || synced === undefined ? 0 : now.bytes - synced.bytes;
  };
  return {
    unsynced,
    cut(bytes) {
      const before = measure()!;
      truncateSync(before.file, before.bytes - bytes);
    },
  };
}
