/**
 * What a task throws to say what becomes of it.
 */
import type { ErrorCode } from '../../base/errors.ts';

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
