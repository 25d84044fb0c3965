/** Options of the queue. */

export interface QueueOptions {
  /** `redis://` or `rediss://`. */
  url: string;
  /** First part of every key. Default `queue`. */
  prefix?: string;
  /** Fixed once the queue exists. Default 1. */
  shards?: number;
  /**
   * Retention of finished jobs per shard: how many, for how long, and how many bytes of results. An omitted limit stays as
   * another process has set it. Defaults: 10,000, 24 h and 64 MiB.
   */
  keep?: { count?: number; ms?: number; bytes?: number };
  /** For tests: milliseconds added to Redis's clock. */
  clockOffsetMs?: number;
}

const KEEP = { count: 10_000, ms: 24 * 3_600_000, bytes: 64 * 1024 * 1024 };

/** The retention limits as `describe` takes them, each followed by 1 if these options set it, else 0. */
export function encodeKeep({ keep = {} }: QueueOptions): number[] {
  return (['count', 'ms', 'bytes'] as const).flatMap((name) => {
    const chosen = keep[name];
    return [chosen ?? KEEP[name], chosen === undefined ? 0 : 1];
  });
}
