/** Attempts of a task. Every write carries the epoch of the attempt's start, which fences off stale owners. */
import { ERRORS, type ErrorCode } from '../../base/errors.ts';
import type { Queryable } from '../stores/postgres.ts';
import { StaleEpochError, type Fence } from './fence.ts';
import { DELAY_MS } from './rows.ts';

/** Most reasons kept of the retries of a task. */
const MAX_RETRIES_KEPT = 10;

/** `retries` with one more reason, in SQL. */
const withRetry = (attempt: string, code: string, message: string): string =>
  `(CASE WHEN jsonb_array_length(retries) >= ${MAX_RETRIES_KEPT} THEN retries - 0 ELSE coalesce(retries, '[]') END
    || jsonb_build_object('at', now(), 'attempt', ${attempt}, 'code', ${code}::text, 'message', left(${message}::text, 500)))`;

export interface Start {
  /** Fencing token; the next start makes it stale. */
  epoch: string;
  /** Attempts charged so far, according to Postgres. */
  attempts: number;
  snoozes: number;
  /** ISO 8601; null unless a schedule made the request. */
  slot: string | null;
  /** Name of the task to run, whatever the queue's job is called. */
  name: string;
  queue: string;
  userId: string | null;
  /** JSON text; a later request may have replaced it. */
  payload: string;
  /** Time of the last request for the task. */
  requestedAt: Date;
  /** When this attempt was due: at the first start, or after the delay of a retry. */
  dueAt: Date;
}

/**
 * Starts an attempt under a new epoch. A first attempt never starts before its time, even if the queue delivers it early.
 * @param chargedAttempts attempts counted by the queue; the row keeps the larger number. Only an attempt that overran its hard limit
 * is charged by the queue before the row.
 * @returns undefined when the task is finished, unknown or not due yet.
 */
export async function startTask(
  db: Queryable,
  id: string,
  chargedAttempts: number,
): Promise<Start | undefined> {
  const { rows } = await db.query<Start>(
    `UPDATE ai.tasks
     SET epoch = epoch + 1, status = 'running', attempts = greatest(attempts, $2), started_at = coalesce(started_at, now()),
       retries = CASE WHEN $2 > attempts THEN ${withRetry('$2::integer', '$3', '$4')} ELSE retries END
     WHERE id = $1 AND finished_at IS NULL AND (started_at IS NOT NULL OR run_at IS NULL OR run_at <= now())
     RETURNING epoch, attempts, snoozes, name, queue, options->>'slot' AS slot, user_id AS "userId", payload::text AS payload,
       requested_at AS "requestedAt", greatest(requested_at, run_at, started_at) AS "dueAt"`,
    [id, chargedAttempts, 'TASK_TIME_LIMIT', ERRORS.TASK_TIME_LIMIT.message],
  );
  return rows[0];
}

/** Milliseconds until an unfinished task may start; undefined if finished or unknown. */
export async function findDelay(db: Queryable, id: string): Promise<number | undefined> {
  const { rows } = await db.query<{ delayMs: number }>(
    `SELECT ${DELAY_MS} AS "delayMs" FROM ai.tasks WHERE id = $1 AND finished_at IS NULL`,
    [id],
  );
  return rows[0]?.delayMs;
}

/** Lets an unfinished task start at once, for tests that do not wait for its time. */
export async function makeDue(db: Queryable, id: string): Promise<void> {
  await db.query('UPDATE ai.tasks SET run_at = NULL WHERE id = $1 AND finished_at IS NULL', [id]);
}

/** @param result JSON text. @throws {StaleEpochError} when the fence is stale. */
export async function succeedTask(db: Queryable, fence: Fence, result: string): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = 'done', result = $3, attempts = attempts + 1, finished_at = now(),
       error_code = NULL, error_message = NULL
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [fence.id, fence.epoch, result],
  );
  if (rowCount !== 1) throw new StaleEpochError(fence);
}

export interface Failure {
  code: ErrorCode;
  /** Shown to the task's owner: no SQL, path or payload. */
  message: string;
}

/** @throws {StaleEpochError} when the fence is stale. */
export async function failTask(db: Queryable, fence: Fence, failure: Failure): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = 'error', error_code = $3, error_message = $4, attempts = attempts + 1, finished_at = now()
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [fence.id, fence.epoch, failure.code, failure.message],
  );
  if (rowCount !== 1) throw new StaleEpochError(fence);
}

/** Charges an attempt and queues the task again. @throws {StaleEpochError} when the fence is stale. */
export async function retryTask(
  db: Queryable,
  fence: Fence,
  failure: Failure,
  delayMs: number,
): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = 'queued', error_code = $3, error_message = $4, attempts = attempts + 1,
       run_at = now() + $5 * interval '1 millisecond', retries = ${withRetry('attempts + 1', '$3', '$4')}
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [fence.id, fence.epoch, failure.code, failure.message, delayMs],
  );
  if (rowCount !== 1) throw new StaleEpochError(fence);
}

/** Queues the task again without charging an attempt. @throws {StaleEpochError} when the fence is stale. */
export async function snoozeTask(db: Queryable, fence: Fence, delayMs: number): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = 'queued', snoozes = snoozes + 1, run_at = now() + $3 * interval '1 millisecond'
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [fence.id, fence.epoch, delayMs],
  );
  if (rowCount !== 1) throw new StaleEpochError(fence);
}

/** Replaces the input hash with that of the data the task has read, so that a later request with the same data finds this task. */
export async function setInputHash(tx: Queryable, id: string, inputHash: string): Promise<void> {
  await tx.query('UPDATE ai.tasks SET input_hash = $2 WHERE id = $1', [id, inputHash]);
}

/** Why a task was tried again. */
export interface RetryReason {
  /** ISO 8601. */
  at: string;
  /** Number of the attempt that failed. */
  attempt: number;
  code: ErrorCode;
  message: string;
}

/** The reasons of the last ten retries, the newest last. */
export async function findRetries(db: Queryable, id: string): Promise<RetryReason[]> {
  const { rows } = await db.query<{ retries: RetryReason[] | null }>(
    'SELECT retries FROM ai.tasks WHERE id = $1',
    [id],
  );
  return rows[0]?.retries ?? [];
}
