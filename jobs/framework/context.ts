/** The context (`ctx`) of one attempt. */
import type { Queryable } from '../../db/stores/postgres.ts';
import type { Composite } from './canvas/composition.ts';
import type { Signature } from './signature.ts';

export interface JobFacts {
  id: string;
  /** From 1. */
  attempt: number;
  /** Starts, including this one: more than `attempt` if some were cut short uncharged. Not counted (undefined) if transient. */
  delivery: number | undefined;
  maxRetries: number;
  queue: string;
  /** Set by the caller. */
  headers: Readonly<Record<string, string>>;
  /** The slot that the task stands for, if a schedule started it: its due time, before any jitter. Undefined otherwise. */
  slot: Date | undefined;
  /** External id of the requesting user; undefined for sweeps and transient tasks. */
  userId: string | undefined;
}

/** Given to every task. An application adds its own resources. */
export interface TaskContext {
  readonly job: JobFacts;
  /** Aborted at the soft time limit, on revoke and at shutdown; the reason says which. */
  readonly signal: AbortSignal;
  /** Its sessions are read-only. @throws {Reject} for a statement that writes; use `ctx.transaction`. */
  readonly db: Queryable;
  /** Next value of a Postgres sequence, by qualified name: greater than any taken before. */
  nextval(sequence: string): Promise<number>;
  log(message: string, fields?: Record<string, unknown>): void;
  /** @param value 0 to 1. */
  progress(value: number, note?: string): void;
  /**
   * Extends the soft and the hard time limit of this attempt by `ms` milliseconds. An aborted signal stays aborted.
   * @throws {RangeError} unless `ms` is a whole number of at least 1; no limit moves then.
   */
  extendLimit(ms: number): void;
  /**
   * Ends this attempt and requests another, within `maxRetries` and `retryForMs`.
   * @param options.countdownMs exact delay in milliseconds, at most a year. Default: the task's backoff.
   * @param options.reason a sentence that the owner may read.
   */
  retry(options?: { countdownMs?: number; reason?: string }): never;
  /**
   * Ends this attempt and runs the task again later, without using up an attempt: for what is not ready yet. At most 100 times,
   * and no later than a week after the last request for the task; from then on it is a retry, within `maxRetries`.
   * @param ms milliseconds until then, a whole number, 1 to a week.
   * @throws {RangeError} for any other value.
   */
  snooze(ms: number): never;
  /** Enqueues a task or a composition, the same one if a later attempt repeats the call. @returns its id. @throws {AppError} like `TaskClient.enqueue`. */
  enqueue(work: Signature | Composite): Promise<string>;
}

/** A transaction of a durable task. */
export interface TaskTransaction extends Queryable {
  /** Replaces the call's `inputHash` when the result depends on newer input: a later call with that hash finds the task done. */
  setInputHash(hash: string): Promise<void>;
  /** Enqueues a durable task or a composition if the transaction commits. @returns its id. */
  enqueue(work: Signature | Composite): Promise<string>;
}

export interface DurableContext extends TaskContext {
  /** Runs `work` once per task: a retry gets the stored output. For calls that must not be repeated. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Output that any attempt stored in the step or transaction of this name; undefined without one. */
  stored<T>(name: string): Promise<{ output: T } | undefined>;
  /** Applies effects in Postgres exactly once: epoch-checked and guarded by the inbox. */
  transaction<T>(name: string, work: (tx: TaskTransaction) => Promise<T>): Promise<T>;
}
