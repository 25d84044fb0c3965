/** Options of the queue. */
import { problemsOf, wholeFrom, type Rule } from '../../../base/options/rules.ts';
import { assertOptions } from './check-options.ts';
import { MAX_DURATION_MS } from './record.ts';

export interface QueueOptions {
  /** `redis://` or `rediss://`. */
  url: string;
  /** First part of every key. Default `queue`. */
  prefix?: string;
  /** 1 to 256, fixed once the queue exists. Default 1. */
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

const KEEP_FAILED_RULES: Record<keyof typeof KEEP_FAILED, Rule> = {
  count: wholeFrom(0),
  ms: wholeFrom(0, MAX_DURATION_MS),
};
const KEEP_RULES: Record<keyof typeof KEEP, Rule> = { ...KEEP_FAILED_RULES, bytes: wholeFrom(0) };

const fits = (value: unknown, rules: Readonly<Record<string, Rule>>): boolean =>
  typeof value === 'object' && value !== null && problemsOf(value, rules, '').length === 0;

const RULES: Record<keyof QueueOptions, Rule> = {
  url: [(value) => typeof value === 'string', 'a URL'],
  // Braces would change the hash tags of the keys.
  prefix: [
    (value) => typeof value === 'string' && /^[^\s{}]{1,128}$/.test(value),
    '1 to 128 characters without spaces and braces',
  ],
  // A job's shard is a byte of its id.
  shards: wholeFrom(1, 256),
  keep: [
    (value) => fits(value, KEEP_RULES),
    'whole numbers, 0 or more, called count, ms and bytes',
  ],
  keepFailed: [
    (value) => fits(value, KEEP_FAILED_RULES),
    'whole numbers, 0 or more, called count and ms',
  ],
  clockOffsetMs: wholeFrom(-MAX_DURATION_MS, MAX_DURATION_MS),
};

/** @throws {QueueError} `OPTION_INVALID` */
export function assertQueueOptions(options: QueueOptions): void {
  assertOptions('Broker', options, RULES, ['url']);
}
