/** Attempts of a task. Every write carries the epoch of the attempt's start, which fences off stale owners. */
import type { ErrorCode } from '../../base/errors.ts';
import type { Queryable } from '../stores/postgres.ts';
import { StaleEpochError, type Fence } from './fence.ts';
import { DELAY_MS } from './rows.ts';

export interface Start {
  /** Fencing token; the next start makes it stale. */
  epoch: string;
  /** Attempts charged so far, according to Postgres. */
  attempts: number;
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
 * @param chargedAttempts attempts counted by the queue; the row keeps the larger number.
 * @returns undefined when the task is finished, unknown or not due yet.
 */
export async function startTask(
  db: Queryable,
  id: string,
  chargedAttempts: number,
): Promise<Start | undefined> {
  const { rows } = await db.query<Start>(
    `UPDATE ai.tasks
     SET epoch = epoch + 1, status = 'running', attempts = greatest(attempts, $2), started_at = coalesce(started_at, now())
     WHERE id = $1 AND finished_at IS NULL AND (started_at IS NOT NULL OR run_at IS NULL OR run_at <= now())
     RETURNING epoch, attempts, user_id AS "userId", payload::text AS payload, requested_at AS "requestedAt",
       greatest(requested_at, run_at, started_at) AS "dueAt"`,
    [id, chargedAttempts],
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
       run_at = now() + $5 * interval '1 millisecond'
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [fence.id, fence.epoch, failure.code, failure.message, delayMs],
  );
  if (rowCount !== 1) throw new StaleEpochError(fence);
}

/** Replaces the input hash with that of the data the task has read, so that a later request with the same data finds this task. */
export async function setInputHash(tx: Queryable, id: string, inputHash: string): Promise<void> {
  await tx.query('UPDATE ai.tasks SET input_hash = $2 WHERE id = $1', [id, inputHash]);
}
