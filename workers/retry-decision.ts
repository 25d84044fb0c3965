/**
 * From an error to what happens next: the one place where retry policy is applied.
 */
import { AppError, ERRORS, type ErrorCode } from '../base/errors.ts';
import { STORES } from '../db/stores/stores.ts';
import { StaleEpochError } from '../db/tasks/fence.ts';
import { backoffMs, isRetryable, type Policy } from '../jobs/framework/policy.ts';
import { Reject, Retry } from '../jobs/framework/errors.ts';
import { describeError, type DescribedError } from '../base/telemetry/describe-error.ts';

/** Why an attempt failed. */
export interface Failure {
  code: ErrorCode;
  /** As the owner of the task is told. */
  message: string;
  /** What the owner is not told: the error itself, for the log. */
  cause?: DescribedError;
}

export type Decision =
  | ({ kind: 'retry'; delayMs: number } & Failure)
  | ({ kind: 'failed' } & Failure)
  | { kind: 'released'; delayMs: number; reason: string };

/** Pause before a job whose store is unavailable is tried again, in milliseconds. */
const STORE_UNAVAILABLE_DELAY_MS = 2000;

/** Pause before a job is looked at again that another owner has started meanwhile, in milliseconds. */
const STALE_DELAY_MS = 1000;

type RetryPolicy = Pick<
  Policy,
  'maxRetries' | 'backoff' | 'retryOn' | 'neverRetryOn' | 'retryForMs'
>;

/** What is charged to a task so far, and since when it has been asked for. */
export interface RunSoFar {
  /** Attempts charged before this one. */
  attempts: number;
  /** Milliseconds since 1970. */
  askedMs: number;
}

/**
 * @param nowMs milliseconds since 1970.
 * @param random source of jitter in [0, 1).
 */
export function decide(
  error: unknown,
  { attempts, askedMs }: RunSoFar,
  policy: RetryPolicy,
  nowMs = Date.now(),
  random = Math.random,
): Decision {
  // Started again elsewhere, or ended: the next start will tell which.
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
  const failure = describe(error);
  const delayMs = delayUntilRetry(error, attempts, policy, random);
  const { maxRetries, retryForMs = Infinity } = policy;
  if (delayMs === undefined || attempts >= maxRetries || nowMs + delayMs > askedMs + retryForMs) {
    return { kind: 'failed', ...failure };
  }
  return { kind: 'retry', delayMs, ...failure };
}

/** Whether an error means that one of the stores is unavailable or busy. */
export function isStoreUnavailable(error: unknown): boolean {
  return STORES.some((store) => store.isUnavailable(error));
}

/** @returns undefined for an error that is not worth another attempt. */
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

/** Only messages written for callers reach them; anything else is told as the catalogue tells it, and to the log in its own words. */
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
