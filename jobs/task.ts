/**
 * What a task is: a name, a schema, a policy and `run`. One task is one file in `jobs/tasks`.
 */
import type { Static, TSchema } from 'typebox';
import type { Behaviour } from '../db/behaviour.ts';
import type { Queryable } from '../db/postgres.ts';
import type { VectorIndex } from '../db/vector-index.ts';
import type { ErrorCode } from '../errors.ts';
import type { CallOptions, DurableCallOptions } from './call-options.ts';
import type { ChatModel, EmbeddingModel } from './llm/provider.ts';
import { readPolicy, type Policy, type PolicyOptions } from './policy.ts';

export interface JobFacts {
  id: string;
  /** 1 for the first. */
  attempt: number;
  /**
   * How often it has been started, this time included: more than `attempt` when a start was cut short and not charged. Undefined
   * for tasks that are not durable: nobody counts theirs.
   */
  delivery: number | undefined;
  maxRetries: number;
  queue: string;
  /** What the caller gave along. */
  headers: Readonly<Record<string, string>>;
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
  readonly embedder: EmbeddingModel;
  readonly vectors: VectorIndex;
  readonly events: Behaviour;
  readonly cache: VersionedCache;
  log(message: string, fields?: Record<string, unknown>): void;
  /** @param value 0 to 1. */
  progress(value: number, note?: string): void;
  /**
   * Moves the soft and the hard time limit of this attempt later by `ms`. A signal that is aborted stays so.
   * @param ms milliseconds, a whole number, 1 or more.
   * @throws {RangeError} for any other value; no limit is moved then.
   */
  extendLimit(ms: number): void;
  /**
   * Ends this attempt and asks for another, within `maxRetries` and `retryForMs`.
   * @param options.countdownMs exactly how long until then, in milliseconds, at most a year. Default: the backoff of the task.
   * @param options.reason a sentence its owner may read.
   */
  retry(options?: { countdownMs?: number; reason?: string }): never;
  /**
   * Asks for another task. The same call made again by a later attempt of this job is the same task.
   * @returns its id.
   * @throws {AppError} as `client.applyAsync` does.
   */
  enqueue(signature: Signature): Promise<string>;
}

/** A transaction of a durable task. */
export interface TaskTransaction extends Queryable {
  /** Asks for a durable task as part of the transaction: it is accepted if that is committed. @returns its id. */
  enqueue(signature: Signature): Promise<string>;
}

export interface DurableContext extends TaskContext {
  /** Runs `work` once per task across attempts: a retry gets the stored output. For calls that must not be repeated. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Effects in Postgres: epoch-checked and guarded by the inbox, so that they are applied exactly once. */
  transaction<T>(name: string, work: (tx: TaskTransaction) => Promise<T>): Promise<T>;
}

/** A task with its payload and the options of the call: a value that does nothing until a client or a task accepts it. */
export interface Signature {
  readonly task: Task;
  readonly payload: unknown;
  readonly options: DurableCallOptions;
}

interface Signable<P extends TSchema, O extends CallOptions> {
  s(payload: Static<P>, options?: O): Signature;
}

type Schemas<P extends TSchema, R extends TSchema> = { name: string; payload: P; result: R };

export type DurableTask<P extends TSchema = TSchema, R extends TSchema = TSchema> = Schemas<P, R> &
  Policy &
  Signable<P, DurableCallOptions> & {
    durable: true;
    run(payload: Static<P>, ctx: DurableContext): Promise<Static<R>>;
  };

export type TransientTask<P extends TSchema = TSchema, R extends TSchema = TSchema> = Schemas<
  P,
  R
> &
  Policy &
  Signable<P, CallOptions> & {
    durable: false;
    run(payload: Static<P>, ctx: TaskContext): Promise<Static<R>>;
  };

export type Task = DurableTask | TransientTask;

/**
 * Defines a task. `durable` (the default) keeps the row in `ai.tasks` as the truth and gives `ctx.step` and
 * `ctx.transaction`; `durable: false` lives in Redis only. Policy and defaults: policy.ts.
 * @throws {TaskDefinitionError} with every problem of the policy.
 */
export function defineTask<P extends TSchema, R extends TSchema>(
  definition: Schemas<P, R> & PolicyOptions & { durable?: true; run: DurableTask<P, R>['run'] },
): DurableTask<P, R>;
export function defineTask<P extends TSchema, R extends TSchema>(
  definition: Schemas<P, R> & PolicyOptions & { durable: false; run: TransientTask<P, R>['run'] },
): TransientTask<P, R>;
export function defineTask(
  definition: Schemas<TSchema, TSchema> & PolicyOptions & { durable?: boolean; run: unknown },
): unknown {
  const task = {
    durable: true,
    ...definition,
    ...readPolicy(definition),
    s: (payload: unknown, options = {}) => ({ task, payload, options }),
  };
  return task;
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

export interface RetryOptions extends ErrorOptions {
  /** Exactly how long until the next attempt, in milliseconds, at most a year, instead of the backoff of the task. */
  countdownMs?: number | undefined;
  /** The least delay, in milliseconds, for instance what a server asked for; the backoff may be longer. */
  atLeastMs?: number | undefined;
}

/** Longest countdown of a retry, in milliseconds. */
const YEAR_MS = 365 * 86_400_000;

/** Asks for another attempt, whatever `retryOn` says; charged like any failure. */
export class Retry extends Error {
  readonly code: ErrorCode;
  readonly countdownMs: number | undefined;
  readonly atLeastMs: number | undefined;

  /** @throws {RangeError} for a countdown that is none: charged like any error of the task. */
  constructor(code: ErrorCode, message: string, options: RetryOptions = {}) {
    super(message, { cause: options.cause });
    const { countdownMs, atLeastMs } = options;
    if (countdownMs !== undefined && !(countdownMs >= 0 && countdownMs <= YEAR_MS)) {
      throw new RangeError(`countdownMs is ${countdownMs}: it must be 0 to ${YEAR_MS}, a year.`);
    }
    this.name = 'Retry';
    this.code = code;
    this.countdownMs = countdownMs;
    this.atLeastMs = atLeastMs;
  }
}
