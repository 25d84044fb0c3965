/**
 * From an error to what happens next: the one place where retry policy is applied.
 */
import { AppError, type ErrorCode } from '../errors.ts';
import { isPostgresAway } from '../db/postgres.ts';
import { StaleEpochError } from '../db/task-runs.ts';
import { isCacheAway } from '../db/cache.ts';
import { Reject, Retry, type Backoff } from '../jobs/task.ts';

export type Decision =
  | { kind: 'retry'; delayMs: number; code: ErrorCode; message: string }
  | { kind: 'failed'; code: ErrorCode; message: string }
  | { kind: 'released'; delayMs: number; reason: string };

/** Pause before a job whose store is away is tried again, in milliseconds. */
const STORE_AWAY_DELAY_MS = 2000;

/** Pause before a job is looked at again that another owner has started meanwhile, in milliseconds. */
const STALE_DELAY_MS = 1000;

export interface Policy {
  maxRetries: number;
  backoff: Backoff;
}

/**
 * @param attempts attempts charged before this one.
 * @param random source of jitter in [0, 1).
 */
export function decide(
  error: unknown,
  attempts: number,
  policy: Policy,
  random = Math.random,
): Decision {
  // Started again elsewhere, or ended: the next start will tell which.
  if (error instanceof StaleEpochError) {
    return { kind: 'released', delayMs: STALE_DELAY_MS, reason: error.message };
  }
  if (isPostgresAway(error) || isCacheAway(error)) {
    return { kind: 'released', delayMs: STORE_AWAY_DELAY_MS, reason: 'a store is away' };
  }
  const { code, message } = describe(error);
  if (error instanceof Reject || attempts >= policy.maxRetries)
    return { kind: 'failed', code, message };
  const asked = error instanceof Retry ? (error.delayMs ?? 0) : 0;
  return {
    kind: 'retry',
    delayMs: Math.max(asked, backoffMs(policy.backoff, attempts, random)),
    code,
    message,
  };
}

/** Delay before the retry that follows `attempts` earlier ones, in whole milliseconds. */
export function backoffMs(
  { delayMs, factor, maxMs, jitter }: Backoff,
  attempts: number,
  random: () => number,
): number {
  const delay = Math.min(delayMs * factor ** attempts, maxMs);
  return Math.round(jitter === 'full' ? delay * random() : delay);
}

/** Only messages written for callers reach them; anything else is told as the catalogue tells it. */
function describe(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof AppError || error instanceof Reject || error instanceof Retry) {
    return { code: error.code, message: error.message };
  }
  return { code: 'TASK_FAILED', message: new AppError('TASK_FAILED').message };
}
