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
  /** Retention of dead letters per shard, in the same way. Defaults: 10,000 and 30 days. None is dropped for 10 minutes. */
  keepFailed?: { count?: number; ms?: number };
  /** For tests: milliseconds added to Redis's clock. */
  clockOffsetMs?: number;
}

const KEEP = { count: 10_000, ms: 24 * 3_600_000, bytes: 64 * 1024 * 1024 };
const KEEP_FAILED = { count: 10_000, ms: 30 * 86_400_000 };

/** The retention limits as `describe` takes them, each followed by 1 if these options set it, else 0. */
export function encodeKeep({ keep = {}, keepFailed = {} }: QueueOptions): number[] {
  const limit = (chosen: number | undefined, byDefault: number) => [
    chosen ?? byDefault,
    chosen === undefined ? 0 : 1,
  ];
  return [
    ...(['count', 'ms', 'bytes'] as const).flatMap((name) => limit(keep[name], KEEP[name])),
    ...(['count', 'ms'] as const).flatMap((name) => limit(keepFailed[name], KEEP_FAILED[name])),
  ];
}
