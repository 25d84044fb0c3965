/** Decides what follows an error. The only place that applies retry policy. */
import { AppError, ERRORS, type ErrorCode } from '../base/errors.ts';
import { isMarkedUnavailable } from '../db/stores/unavailable.ts';
import { StaleEpochError } from '../db/tasks/fence.ts';
import { isInstance, propertyOf } from '../base/thrown.ts';
import { backoffMs, isRetryable, type Policy } from '../jobs/framework/policy.ts';
import {
  isDuration,
  MAX_SNOOZE_MS,
  MAX_SNOOZES,
  Reject,
  Retry,
  Snooze,
  YEAR_MS,
} from '../jobs/framework/errors.ts';
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

/**
 * Retry delay while a store is unavailable, in milliseconds: a tenth of how long the attempt has been due, within these bounds. A day
 * has some 3,000 of them.
 */
const STORE_UNAVAILABLE_DELAY_MS = { least: 2000, most: 30_000 };

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
  /**
   * For how long the attempt may be released without being charged, and since when it has been due (milliseconds since 1970).
   * Undefined without a bound: the row that counts attempts could not be reached.
   */
  uncharged?: { sinceMs: number; forMs: number } | undefined;
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
  const released = releaseOf(error, run, nowMs);
  if (released !== undefined) return released;
  if (isInstance(error, Snooze)) {
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

/** Whether it is not the task's fault, so that the attempt is not charged, for a time. */
export function isUncharged(error: unknown): boolean {
  return isInstance(error, StaleEpochError) || isMarkedUnavailable(error);
}

/** @returns undefined when the attempt is charged. */
function releaseOf(error: unknown, { uncharged }: RunSoFar, nowMs: number): Decision | undefined {
  if (!isUncharged(error)) return undefined;
  const dueMs = uncharged === undefined ? 0 : nowMs - uncharged.sinceMs;
  if (uncharged !== undefined && dueMs > uncharged.forMs) return undefined;
  // Restarted elsewhere, or ended: the next start will tell.
  if (isInstance(error, StaleEpochError)) {
    return { kind: 'released', delayMs: STALE_DELAY_MS, reason: error.message };
  }
  const { least, most } = STORE_UNAVAILABLE_DELAY_MS;
  const delayMs = Math.round(Math.min(Math.max(dueMs / 10, least), most));
  return { kind: 'released', delayMs, reason: 'a store is unavailable' };
}

/** @returns undefined when the error must not be retried. */
function delayUntilRetry(
  error: unknown,
  attempts: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (isInstance(error, Reject)) return undefined;
  const backoff = backoffMs(policy.backoff, attempts, random);
  if (isInstance(error, Retry)) {
    const countdownMs = propertyOf(error, 'countdownMs');
    if (isDuration(countdownMs)) return Math.ceil(countdownMs);
    return Math.max(leastDelay(propertyOf(error, 'atLeastMs')), backoff);
  }
  return isRetryable(error, policy) ? backoff : undefined;
}

/** What a server asked for may be any number. */
function leastDelay(ms: unknown): number {
  return typeof ms === 'number' && ms > 0 ? Math.ceil(Math.min(ms, YEAR_MS)) : 0;
}

/** Longest message for the owner of a task, in characters. */
const MAX_MESSAGE_LENGTH = 2000;

/** Callers see only messages written for them. Other errors show the catalogue's message and go to the log in full. */
function describe(error: unknown): Failure {
  if (isMarkedUnavailable(error)) {
    const message = 'A store was unavailable for longer than a task may wait for it.';
    return { code: 'STORE_UNAVAILABLE', message, cause: describeError(error) };
  }
  if ([AppError, Reject, Retry].some((type) => isInstance(error, type))) {
    const code = toErrorCode(propertyOf(error, 'code'));
    const message = propertyOf(error, 'message');
    const cause = propertyOf(error, 'cause');
    return {
      code,
      message:
        typeof message === 'string' ? message.slice(0, MAX_MESSAGE_LENGTH) : ERRORS[code].message,
      ...(cause === undefined ? {} : { cause: describeError(cause) }),
    };
  }
  return {
    code: 'TASK_FAILED',
    message: ERRORS.TASK_FAILED.message,
    cause: describeError(error),
  };
}

function toErrorCode(code: unknown): ErrorCode {
  const isKnown = typeof code === 'string' && Object.hasOwn(ERRORS, code);
  return isKnown ? (code as ErrorCode) : 'TASK_FAILED';
}
