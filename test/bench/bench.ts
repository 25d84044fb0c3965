/**
 * How a row is measured: both sides in turn on the same Redis, many short rounds, so that what disturbs the machine
 * disturbs both.
 */
import { Child } from './child.ts';
import type { QueueCommands } from './children/commands.ts';
import type { PeerName } from './peers/peer.ts';
import type { BenchPostgres } from './postgres.ts';
import type { BenchRedis } from './redis.ts';

export interface Bench {
  redis: BenchRedis;
  /** Starts with the first row that needs it, as that takes seconds. */
  postgres(): Promise<BenchPostgres>;
  /** Measured rounds of each side. */
  rounds: number;
  /** Factor on every number of jobs. */
  scale: number;
  /** Every measured process that is to be ended with the run. */
  children: Set<{ stop(): Promise<void> }>;
}

/** What must be reached: of a ratio, or of our own value. */
export interface Target {
  of: 'ratio' | 'ours';
  /** `least`: as much or more; `most`: as much or less. */
  is: 'least' | 'most';
  must: number;
  aim: number;
}

/** One line of the table. */
export interface Figure {
  row: string;
  figure: string;
  unit: string;
  /** One value a round; empty: not measured. */
  ours: number[];
  /** Empty where there is nobody to compare with. */
  theirs: number[];
  /** Whose values `theirs` are. Default BullMQ. */
  peer?: string;
  target?: Target;
  /** What a reader must know. */
  note?: string;
}

export interface Row {
  name: string;
  /** One sentence: what is done and how often. */
  what: string;
  measure(bench: Bench): Promise<Figure[]>;
}

export const QUEUE = 'bench';

/** One side of a row in one round. */
export interface Side {
  peer: PeerName;
  url: string;
  queue: string;
  /** The processes of this side, as many as the row asked for. */
  children: Child<QueueCommands>[];
}

/** @returns `count` times the scale, at least 20: enough for every row to make sense. */
export function scaled({ scale }: Bench, count: number): number {
  return Math.max(20, Math.round(count * scale));
}

export interface Plan {
  /** Processes of each side. Default 1. */
  processes?: number;
  /** Sides that take part. Default both. */
  peers?: readonly PeerName[];
  /** Default that of the run. */
  rounds?: number;
}

/** Measures both sides in turn, each on an empty Redis. */
export async function compare<T>(
  bench: Bench,
  { processes = 1, peers = ['ours', 'bullmq'], rounds = bench.rounds }: Plan,
  measure: (side: Side) => Promise<T>,
): Promise<Record<PeerName, T[]>> {
  const { redis } = bench;
  const sides = peers.map((peer): Side => {
    const children = Array.from(
      { length: processes },
      () => new Child<QueueCommands>('side', peer),
    );
    return { peer, url: redis.url, queue: QUEUE, children };
  });
  return withChildren(
    bench,
    sides.flatMap(({ children }) => children),
    async () => {
      const values = await alternate(sides, rounds, async (side) => {
        await redis.flush();
        return measure(side);
      });
      await redis.flush();
      return values;
    },
  );
}

/**
 * Measures sides `rounds` times in turn, A B B A A B ..., after a first round that does not count: it compiles the code.
 * @returns one value a round for each side, by its name.
 */
export async function alternate<S extends { peer: string }, T>(
  sides: readonly S[],
  rounds: number,
  measure: (side: S) => Promise<T>,
): Promise<Record<S['peer'], T[]>> {
  const values = Object.fromEntries(sides.map(({ peer }) => [peer, [] as T[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const value = await measure(side);
      if (round > 0) values[side.peer]!.push(value);
    }
  }
  return values as Record<S['peer'], T[]>;
}

/** The processes end with the work, or with the run. */
export async function withChildren<T>(
  { children: running }: Bench,
  children: readonly { stop(): Promise<void> }[],
  work: () => Promise<T>,
): Promise<T> {
  for (const child of children) running.add(child);
  try {
    return await work();
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    for (const child of children) running.delete(child);
  }
}

/** Jobs per second. */
export function rate(jobs: number, { startMs, endMs }: { startMs: number; endMs: number }): number {
  return (jobs * 1000) / (endMs - startMs);
}

/** @param share 0.5 for the median, 0.99 for p99; nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
