/** Decides what follows an error. The only place that applies retry policy. */
import { AppError, ERRORS, type ErrorCode } from '../base/errors.ts';
import { STORES } from '../db/stores/stores.ts';
import { StaleEpochError } from '../db/tasks/fence.ts';
import { backoffMs, isRetryable, type Policy } from '../jobs/framework/policy.ts';
import { MAX_SNOOZE_MS, MAX_SNOOZES, Reject, Retry, Snooze } from '../jobs/framework/errors.ts';
import { describeError, type DescribedError } from '../base/telemetry/describe-error.ts';

export interface Failure {
  code: ErrorCode;
  /** The owner of the task sees it. */
  message: string;
  /** The error itself, for the log only. */
  cause?: DescribedError;
}

export type Decision =
  | ({ kind: 'retry'; delayMs: number } & Failure)
  | ({ kind: 'failed' } & Failure)
  | { kind: 'snoozed'; delayMs: number; snoozes: number }
  | { kind: 'released'; delayMs: number; reason: string };

/** Retry delay while a store is unavailable, in milliseconds. */
const STORE_UNAVAILABLE_DELAY_MS = 2000;

/** Delay before rechecking a job that another owner has started, in milliseconds. */
const STALE_DELAY_MS = 1000;

type RetryPolicy = Pick<
  Policy,
  'maxRetries' | 'backoff' | 'retryOn' | 'neverRetryOn' | 'retryForMs'
>;

/** How much of its retry budget a task has used. */
export interface RunSoFar {
  /** Attempts charged before this one. */
  attempts: number;
  /** Milliseconds since 1970. */
  askedMs: number;
  /** Snoozes before this attempt. Default 0. */
  snoozes?: number | undefined;
}

/**
 * @param nowMs milliseconds since 1970.
 * @param random source of jitter in [0, 1).
 */
export function decide(
  error: unknown,
  run: RunSoFar,
  policy: RetryPolicy,
  nowMs = Date.now(),
  random = Math.random,
): Decision {
  // Restarted elsewhere, or ended: the next start will tell.
  if (error instanceof StaleEpochError) {
    return { kind: 'released', delayMs: STALE_DELAY_MS, reason: error.message };
  }
  if (isStoreUnavailable(error)) {
    return {
      kind: 'released',
      delayMs: STORE_UNAVAILABLE_DELAY_MS,
      reason: 'a store is unavailable',
    };
  }
  if (error instanceof Snooze) {
    const { delayMs } = error;
    const { snoozes = 0 } = run;
    if (snoozes < MAX_SNOOZES && nowMs + delayMs <= run.askedMs + MAX_SNOOZE_MS) {
      return { kind: 'snoozed', delayMs, snoozes: snoozes + 1 };
    }
    const message = `The task snoozed ${snoozes} times; ${MAX_SNOOZES} times and a week are the limits.`;
    return decide(new Retry('TASK_RETRIED', message, { countdownMs: delayMs }), run, policy, nowMs);
  }
  const { attempts, askedMs } = run;
  const failure = describe(error);
  const delayMs = delayUntilRetry(error, attempts, policy, random);
  const { maxRetries, retryForMs = Infinity } = policy;
  if (delayMs === undefined || attempts >= maxRetries || nowMs + delayMs > askedMs + retryForMs) {
    return { kind: 'failed', ...failure };
  }
  return { kind: 'retry', delayMs, ...failure };
}

export function isStoreUnavailable(error: unknown): boolean {
  return STORES.some((store) => store.isUnavailable(error));
}

/** @returns undefined when the error must not be retried. */
function delayUntilRetry(
  error: unknown,
  attempts: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (error instanceof Reject) return undefined;
  const backoff = backoffMs(policy.backoff, attempts, random);
  if (error instanceof Retry) {
    return error.countdownMs ?? Math.max(error.atLeastMs ?? 0, backoff);
  }
  return isRetryable(error, policy) ? backoff : undefined;
}

/** Callers see only messages written for them. Other errors show the catalogue's message and go to the log in full. */
function describe(error: unknown): Failure {
  if (error instanceof AppError || error instanceof Reject || error instanceof Retry) {
    const { code, message, cause } = error;
    return { code, message, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
  }
  return {
    code: 'TASK_FAILED',
    message: ERRORS.TASK_FAILED.message,
    cause: describeError(error),
  };
}
