/**
 * Redis is killed, emptied, paused, filled and robbed of what it has not synced, while durable tasks flow.
 */
import { readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.ts';
import { eventually } from '../support/consumers.ts';
import { startFlakyProxy } from '../support/flaky-proxy.ts';
import { ownRedis, type OwnRedis } from '../support/own-redis.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { chance, report, sizesOf } from './experiment.ts';
import { startFlow } from './storms/flow.ts';
import { violationsOf } from './storms/ledger.ts';
import { openStage } from './storms/stage.ts';

const SIZES = sizesOf('redis-storm', {
  kills: { ci: 3, full: 50 },
  flushes: { ci: 1, full: 10 },
  pauses: { ci: 1, full: 10 },
  fills: { ci: 1, full: 10 },
  cuts: { ci: 1, full: 10 },
});
const LEASE_MS = 1000;
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
  const faults: Record<string, () => Promise<unknown>> = {
    kills: restart,
    flushes: () => ask(own.url, (redis) => redis.flushall()),
    pauses: async () => {
      own.pause();
      await sleep(3 * LEASE_MS);
      own.resume();
    },
    fills: async () => {
      await ask(own.url, (redis) => redis.config('SET', 'maxmemory', '1mb'));
      await sleep(1500);
      await ask(own.url, (redis) => redis.config('SET', 'maxmemory', '0'));
    },
    cuts: async () => {
      own.kill();
      tail.cut();
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
    await eventually(`work goes on after ${name}`, () => flow.ended() >= ended + BETWEEN, 30_000);
    slowestMs = Math.max(slowestMs, performance.now() - healedMs);
  }
  const drainedMs = await flow.drain();
  const violations = await violationsOf(stage.db, stage.file, flow.accepted);
  violations.push(...flow.refused.map((error) => `refused: ${String(error)}`));
  const { kills, flushes, pauses, fills, cuts } = SIZES;
  report(t, {
    figure: `Redis killed ${kills} x, emptied ${flushes} x, paused ${pauses} x, full ${fills} x, its unsynced writes lost ${cuts} x`,
    result: `${violations.length} violations in ${flow.accepted.size} accepted tasks; ${tail.bytes} bytes cut; ten more done after ${Math.round(slowestMs)} ms at most, drained in ${Math.round(drainedMs)} ms`,
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

/** Stands in for a power cut: what was written to the file in its last second counts as never synced. */
function watchFile(t: TestContext, { folder }: OwnRedis): { cut(): void; bytes: number } {
  const aof = (): string | undefined => {
    const files = readdirSync(path.join(folder, 'appendonlydir')).filter((name) =>
      name.endsWith('.incr.aof'),
    );
    return files.length === 1 ? path.join(folder, 'appendonlydir', files[0]!) : undefined;
  };
  const sizes: { atMs: number; file: string; bytes: number }[] = [];
  const look = (): void => {
    const file = aof();
    if (file === undefined) return;
    sizes.push({ atMs: performance.now(), file, bytes: statSync(file).size });
    if (sizes.length > 100) sizes.shift();
  };
  const timer = setInterval(look, 50);
  atEnd(t, () => clearInterval(timer));
  const tail = {
    bytes: 0,
    cut() {
      const file = aof();
      const synced = sizes.findLast(
        (size) => size.file === file && size.atMs < performance.now() - SYNC_MS,
      );
      if (synced === undefined) return;
      tail.bytes += statSync(synced.file).size - synced.bytes;
      truncateSync(synced.file, synced.bytes);
    },
  };
  return tail;
}
