/** Errors that a task throws to choose its outcome. */
import type { ErrorCode } from '../../base/errors.ts';
import { textOf } from '../../base/thrown.ts';

/** Fails the task without a retry. */
export class Reject extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Reject';
    this.code = code;
  }
}

export interface RetryOptions extends ErrorOptions {
  /** Delay until the next attempt, in milliseconds, at most a year; replaces the task's backoff. */
  countdownMs?: number | undefined;
  /** Minimum delay, in milliseconds, such as a server's `Retry-After`; the backoff may be longer. */
  atLeastMs?: number | undefined;
}

/** How often a task may snooze, and how late after the last request for it a snooze may end, in milliseconds. */
export const MAX_SNOOZES = 100;
export const MAX_SNOOZE_MS = 7 * 86_400_000;

/** Requests a later run that uses up no attempt. Beyond the limits it is a `Retry`. */
export class Snooze extends Error {
  readonly delayMs: number;

  /** @throws {RangeError} when `delayMs` is not a whole number from 1 to a week; the attempt then fails like any other. */
  constructor(delayMs: number) {
    super('The task snoozes.');
    if (!Number.isSafeInteger(delayMs) || delayMs < 1 || delayMs > MAX_SNOOZE_MS) {
      throw new RangeError(
        `ctx.snooze takes a whole number of milliseconds, 1 to ${MAX_SNOOZE_MS}, a week.`,
      );
    }
    this.name = 'Snooze';
    this.delayMs = delayMs;
  }
}

export const YEAR_MS = 365 * 86_400_000;

/** Whether it is a number of milliseconds, 0 to a year. */
export function isDuration(ms: unknown): ms is number {
  return typeof ms === 'number' && ms >= 0 && ms <= YEAR_MS;
}

/** Requests a retry regardless of `retryOn`; the attempt is charged. */
export class Retry extends Error {
  readonly code: ErrorCode;
  readonly countdownMs: number | undefined;
  readonly atLeastMs: number | undefined;

  /** @throws {RangeError} when `countdownMs` is not 0 to a year; the attempt then fails like any other. */
  constructor(code: ErrorCode, message: string, options: RetryOptions = {}) {
    super(message, { cause: options.cause });
    const { countdownMs, atLeastMs } = options;
    if (countdownMs !== undefined && !isDuration(countdownMs)) {
      throw new RangeError(
        `countdownMs is ${textOf(countdownMs)}: it must be 0 to ${YEAR_MS}, a year.`,
      );
    }
    this.name = 'Retry';
    this.code = code;
    this.countdownMs = countdownMs;
    this.atLeastMs = atLeastMs;
  }
}
