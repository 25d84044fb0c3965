/**
 * What a queue is opened with.
 */

export interface QueueOptions {
  /** `redis://` or `rediss://`. */
  url: string;
  /** First part of every key. Default `queue`. */
  prefix?: string;
  /** Number of shards; fixed once the queue exists. Default 1. */
  shards?: number;
  /** Used memory of Redis, in bytes, above which jobs are refused with `QUEUE_FULL`. Default none. */
  memoryBudgetBytes?: number;
  /**
   * How many finished jobs stay readable, for how long and with how many bytes of results, per shard. What is left out stays as
   * another process has chosen it; default 10,000, 24 h and 64 MiB.
   */
  keep?: { count?: number; ms?: number; bytes?: number };
  /** Added to the clock of Redis, in milliseconds: for tests. */
  clockOffsetMs?: number;
}

const KEEP = { count: 10_000, ms: 24 * 3_600_000, bytes: 64 * 1024 * 1024 };

/** The limits of retention as `describe` takes them: each with whether it was chosen here. */
export function encodeKeep({ keep = {} }: QueueOptions): number[] {
  return (['count', 'ms', 'bytes'] as const).flatMap((name) => {
    const chosen = keep[name];
    return [chosen ?? KEEP[name], chosen === undefined ? 0 : 1];
  });
}
