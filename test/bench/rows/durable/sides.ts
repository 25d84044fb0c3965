/**
 * The sides of a row about durable calls: each with a database of its own and a process that makes the calls, and with
 * another one that takes them if the row asks for it.
 */
import { alternate, withChildren, type Bench } from '../../bench.ts';
import { Child } from '../../child.ts';
import type { CallSpan, DurableCommands } from '../../children/durable/commands.ts';
import type { DurablePeerName } from '../../peers/durable/peer.ts';
import { monotonicMs } from '../../peers/peer.ts';
import type { BenchDatabase, BenchPostgres } from '../../postgres.ts';
import type { BenchRedis } from '../../redis.ts';

type Process = Child<DurableCommands>;

export interface DurableSide<P extends DurablePeerName = DurablePeerName> {
  peer: P;
  postgres: BenchPostgres;
  redis: BenchRedis;
  database: BenchDatabase;
  client: Process;
  worker: Process | undefined;
}

/** In SQL: how many tasks have not ended, and how to forget all of them. */
const TABLES: Record<DurablePeerName, { open: string; clear: string }> = {
  ours: {
    open: 'SELECT count(*)::int AS open FROM ai.tasks WHERE finished_at IS NULL',
    clear: 'TRUNCATE ai.tasks, ai.graphs CASCADE',
  },
  'pg-boss': {
    open: "SELECT count(*)::int AS open FROM pgboss.job WHERE state < 'completed'",
    clear: 'TRUNCATE pgboss.job',
  },
  'graphile-worker': {
    open: 'SELECT count(*)::int AS open FROM graphile_worker._private_jobs',
    clear: 'TRUNCATE graphile_worker._private_jobs',
  },
  // It has nothing in Postgres.
  bullmq: { open: 'SELECT 0 AS open', clear: '' },
};

/** Measures the sides in turn. They begin every round without a task; their processes live for all rounds. */
export async function compareDurable<P extends DurablePeerName, T>(
  bench: Bench,
  { peers, workers }: { peers: readonly P[]; workers: boolean },
  measure: (side: DurableSide<P>) => Promise<T>,
): Promise<Record<P, T[]>> {
  const { redis } = bench;
  const postgres = await bench.postgres();
  const sides: DurableSide<P>[] = [];
  for (const peer of peers) {
    const database = await postgres.create(`bench-${peer}`);
    const start = (): Process => new Child('durable/main', peer);
    const processes = { client: start(), worker: workers ? start() : undefined };
    sides.push({ peer, postgres, redis, database, ...processes });
  }
  const children = sides.flatMap(({ client, worker }) =>
    worker === undefined ? [client] : [client, worker],
  );
  try {
    return await withChildren(bench, children, async () => {
      for (const { client, worker, database } of sides) {
        const place = { databaseUrl: database.url, redisUrl: redis.url };
        await client.call('openClient', place);
        await worker?.call('openWorker', place);
      }
      return alternate(sides, bench.rounds, async (side) => {
        const value = await measure(side);
        await side.database.client.query(TABLES[side.peer].clear);
        return value;
      });
    });
  } finally {
    for (const { database } of sides) await database.drop();
    await redis.flush();
  }
}

/** What a number of tasks cost from the first call to the end of the last in Postgres. */
export interface Cost {
  /** Tasks per second. */
  rate: number;
  /** Processor time of all processes of the side and of Redis, without Postgres, in milliseconds a task. */
  cpuMs: number;
  /** Bytes of WAL a task. */
  walBytes: number;
  /** Write transactions a task. */
  transactions: number;
}

export async function costOf(
  side: DurableSide,
  tasks: number,
  makeCalls: (client: Process) => Promise<CallSpan>,
): Promise<Cost> {
  const before = await usageOf(side);
  const [{ startMs }] = await Promise.all([
    makeCalls(side.client),
    side.worker!.call('finish', { tasks }),
  ]);
  await untilNoneIsOpen(side);
  const endMs = monotonicMs();
  const after = await usageOf(side);
  const perTask = (of: keyof Usage): number => (after[of] - before[of]) / tasks;
  return {
    rate: (tasks * 1000) / (endMs - startMs),
    cpuMs: perTask('cpuMs'),
    walBytes: perTask('walBytes'),
    transactions: perTask('transactions'),
  };
}

type Usage = Omit<Cost, 'rate'>;

async function usageOf({ peer, client, worker, redis, postgres }: DurableSide): Promise<Usage> {
  const redisMs = peer === 'ours' || peer === 'bullmq' ? (await redis.cpuSeconds()) * 1000 : 0;
  const cpuMs = redisMs + (await client.call('cpuMs', {})) + (await worker!.call('cpuMs', {}));
  return { cpuMs, ...(await postgres.written()) };
}

/** A handler has ended before its end is in Postgres. */
async function untilNoneIsOpen({ peer, redis, database }: DurableSide): Promise<void> {
  await redis.until(async () => {
    const { rows } = await database.client.query<{ open: number }>(TABLES[peer].open);
    return rows[0]!.open === 0;
  });
}
