/**
 * What a task is: a name, a schema, a policy and `run`. One task is one file in `jobs/tasks`.
 */
import type { Static, TSchema } from 'typebox';
import type { Queryable } from '../db/postgres.ts';
import type { ErrorCode } from '../errors.ts';
import type { ChatModel } from './llm/provider.ts';

export interface JobFacts {
  id: string;
  /** 1 for the first. */
  attempt: number;
  maxRetries: number;
  queue: string;
  /** External id of the user who asked; undefined for sweeps and tasks that are not durable. */
  userId: string | undefined;
}

export interface VersionedCache {
  /** Stores a value unless a newer version is there. `version` comes from Postgres. */
  set(key: string, version: number, value: unknown, ttlSeconds: number): Promise<void>;
  get<T>(key: string): Promise<{ version: number; value: T } | undefined>;
}

/** Settings of the domain, decided by the configuration. */
export interface TaskSettings {
  feedbackMinProgress: number;
  feedbackMinNoteLength: number;
}

/** All a task may touch. */
export interface TaskContext {
  readonly job: JobFacts;
  /** Aborted at the soft time limit, on revoke and at shutdown; its reason says which. */
  readonly signal: AbortSignal;
  readonly settings: TaskSettings;
  readonly db: Queryable;
  readonly llm: ChatModel;
  readonly cache: VersionedCache;
  log(message: string, fields?: Record<string, unknown>): void;
  /** @param value 0 to 1. */
  progress(value: number, note?: string): void;
}

export interface DurableContext extends TaskContext {
  /** Runs `work` once per task across attempts: a retry gets the stored output. For calls that must not be repeated. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Effects in Postgres: epoch-checked and guarded by the inbox, so that they are applied exactly once. */
  transaction<T>(name: string, work: (tx: Queryable) => Promise<T>): Promise<T>;
}

export interface Backoff {
  /** Delay before the first retry, in milliseconds. */
  delayMs: number;
  /** Each further delay is this many times longer. */
  factor: number;
  /** Longest delay, in milliseconds. */
  maxMs: number;
  /** `full`: anywhere between 0 and the delay; `none`: exactly the delay. */
  jitter: 'full' | 'none';
}

interface Policy {
  /** Default `default`. */
  queue: string;
  /** Retries after the first attempt. Default 3. */
  maxRetries: number;
  /** Default 1 s, doubling, up to 10 min, full jitter. */
  backoff: Backoff;
  /** Aborts `ctx.signal`, in milliseconds from the start. Default none. */
  softTimeLimitMs: number | undefined;
  /** Ends the thread, in milliseconds from the start. Default 10 min. */
  timeLimitMs: number;
  /** 0 to 9, 9 first. Default 5. */
  priority: number;
}

type Schemas<P extends TSchema, R extends TSchema> = { name: string; payload: P; result: R };

export type DurableTask<P extends TSchema = TSchema, R extends TSchema = TSchema> = Schemas<P, R> &
  Policy & { durable: true; run(payload: Static<P>, ctx: DurableContext): Promise<Static<R>> };

export type TransientTask<P extends TSchema = TSchema, R extends TSchema = TSchema> = Schemas<
  P,
  R
> &
  Policy & { durable: false; run(payload: Static<P>, ctx: TaskContext): Promise<Static<R>> };

export type Task = DurableTask | TransientTask;

const DEFAULTS: Policy = {
  queue: 'default',
  maxRetries: 3,
  backoff: { delayMs: 1000, factor: 2, maxMs: 600_000, jitter: 'full' },
  softTimeLimitMs: undefined,
  timeLimitMs: 600_000,
  priority: 5,
};

/**
 * Defines a task. `durable` (the default) keeps the row in `ai.tasks` as the truth and gives `ctx.step` and
 * `ctx.transaction`; `durable: false` lives in Redis only.
 */
export function defineTask<P extends TSchema, R extends TSchema>(
  definition: Schemas<P, R> & Partial<Policy> & { durable?: true; run: DurableTask<P, R>['run'] },
): DurableTask<P, R>;
export function defineTask<P extends TSchema, R extends TSchema>(
  definition: Schemas<P, R> & Partial<Policy> & { durable: false; run: TransientTask<P, R>['run'] },
): TransientTask<P, R>;
export function defineTask(
  definition: Schemas<TSchema, TSchema> & Partial<Policy> & { durable?: boolean; run: unknown },
): unknown {
  return { ...DEFAULTS, durable: true, ...definition };
}

/** Ends a task without another attempt. */
export class Reject extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Reject';
    this.code = code;
  }
}

/** Asks for another attempt, not before `delayMs`; charged like any failure. */
export class Retry extends Error {
  readonly code: ErrorCode;
  readonly delayMs: number | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { delayMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.name = 'Retry';
    this.code = code;
    this.delayMs = options.delayMs;
  }
}
