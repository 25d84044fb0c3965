/**
 * What a task is given for one attempt.
 */
import type { Queryable } from '../../db/stores/postgres.ts';
import type { Signature } from './signature.ts';

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
  /** The slot that the task stands for, if a schedule started it: its due time, before any jitter. Undefined otherwise. */
  slot: Date | undefined;
  /** External id of the user who asked; undefined for sweeps and tasks that are not durable. */
  userId: string | undefined;
}

/** What every task gets. An application adds what its own tasks may touch. */
export interface TaskContext {
  readonly job: JobFacts;
  /** Aborted at the soft time limit, on revoke and at shutdown; its reason says which. */
  readonly signal: AbortSignal;
  /** For reading: its sessions refuse to write. @throws {Reject} for a statement that writes; use `ctx.transaction`. */
  readonly db: Queryable;
  /** The next value of a sequence in Postgres, by its qualified name: greater than any value taken before. */
  nextval(sequence: string): Promise<number>;
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
   * Ends this attempt and runs the task again later, without using up an attempt: for what is not ready yet. At most 100 times,
   * and no later than a week after the last request for the task; from then on it is a retry, within `maxRetries`.
   * @param ms milliseconds until then, a whole number, 1 to a week.
   * @throws {RangeError} for any other value.
   */
  snooze(ms: number): never;
  /**
   * Asks for another task. The same call made again by a later attempt of this job is the same task.
   * @returns its id.
   * @throws {AppError} as `client.applyAsync` does.
   */
  enqueue(signature: Signature): Promise<string>;
}

/** A transaction of a durable task. */
export interface TaskTransaction extends Queryable {
  /**
   * Says what the result depends on, where that is newer than the `inputHash` of the call: a later call with the same finds this
   * task done.
   */
  setInputHash(hash: string): Promise<void>;
  /** Asks for a durable task as part of the transaction: it is accepted if that is committed. @returns its id. */
  enqueue(signature: Signature): Promise<string>;
}

export interface DurableContext extends TaskContext {
  /** Runs `work` once per task across attempts: a retry gets the stored output. For calls that must not be repeated. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** What a step or transaction of this name has stored, by whichever attempt; undefined when none has. */
  stored<T>(name: string): Promise<{ output: T } | undefined>;
  /** Effects in Postgres: epoch-checked and guarded by the inbox, so that they are applied exactly once. */
  transaction<T>(name: string, work: (tx: TaskTransaction) => Promise<T>): Promise<T>;
}
