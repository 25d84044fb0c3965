/**
 * Attempts at a task. Every write after the start of an attempt carries the epoch of that start, so a stale owner writes
 * nothing; `ai.task_steps` is the inbox that makes effects happen once.
 */
import type { ErrorCode } from '../../base/errors.ts';
import { transaction, type Pool, type Queryable } from '../stores/postgres.ts';
import { DELAY_MS } from './rows.ts';

export interface Start {
  /** Fencing token of this start; a later start makes it stale. */
  epoch: string;
  /** Attempts already charged, whatever Redis remembers. */
  attempts: number;
  userId: string | null;
  /** JSON text: the newest one, should a later call have given another. */
  payload: string;
  /** When the work was last asked for. */
  requestedAt: Date;
}

/**
 * Begins an attempt: takes the next epoch. A first one does not begin before its time, whatever the queue knows of that.
 * @param chargedAttempts attempts the queue has counted; the row keeps the larger number.
 * @returns undefined when there is nothing to run now: the task is finished or unknown, or its time has not come.
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
     RETURNING epoch, attempts, user_id AS "userId", payload::text AS payload, requested_at AS "requestedAt"`,
    [id, chargedAttempts],
  );
  return rows[0];
}

/** Milliseconds until an unfinished task may begin; undefined for one that is finished or unknown. */
export async function findDelay(db: Queryable, id: string): Promise<number | undefined> {
  const { rows } = await db.query<{ delayMs: number }>(
    `SELECT ${DELAY_MS} AS "delayMs" FROM ai.tasks WHERE id = $1 AND finished_at IS NULL`,
    [id],
  );
  return rows[0]?.delayMs;
}

/** A start of a task: what every later write must prove it still is. */
export interface Claim {
  id: string;
  epoch: string;
}

/** The task has been started again elsewhere, or is finished: this owner must stop and write nothing. */
export class StaleEpochError extends Error {
  constructor(claim: Claim) {
    super(`task ${claim.id} is no longer at epoch ${claim.epoch}`);
    this.name = 'StaleEpochError';
  }
}

/**
 * Runs `work` and stores its output under `(task, step)` in one transaction. When the step is already there, `work` does
 * not run and the stored output is returned. The output is JSON: the first run returns what a repeat would.
 * @throws {StaleEpochError} before `work` when the claim is stale.
 */
export async function runStep<T>(
  pool: Pool,
  claim: Claim,
  step: string,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  return transaction(pool, async (tx) => {
    await lockClaim(tx, claim);
    const stored = await findStep<T>(tx, claim.id, step);
    if (stored !== undefined) return stored.output;
    const text = JSON.stringify((await work(tx)) ?? null);
    await tx.query(
      'INSERT INTO ai.task_steps (task_id, step, epoch, output) VALUES ($1, $2, $3, $4)',
      [claim.id, step, claim.epoch, text],
    );
    return JSON.parse(text) as T;
  });
}

/** The stored output of a step, wrapped because the output itself may be null. */
export async function findStep<T>(
  db: Queryable,
  taskId: string,
  step: string,
): Promise<{ output: T } | undefined> {
  const { rows } = await db.query<{ output: T }>(
    'SELECT output FROM ai.task_steps WHERE task_id = $1 AND step = $2',
    [taskId, step],
  );
  return rows[0];
}

async function lockClaim(tx: Queryable, claim: Claim): Promise<void> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM ai.tasks WHERE id = $1 AND epoch = $2 AND finished_at IS NULL FOR UPDATE',
    [claim.id, claim.epoch],
  );
  if (rowCount !== 1) throw new StaleEpochError(claim);
}

/** @param result JSON text. @throws {StaleEpochError} when the claim is stale. */
export async function succeedTask(db: Queryable, claim: Claim, result: string): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = 'done', result = $3, attempts = attempts + 1, finished_at = now(),
       error_code = NULL, error_message = NULL
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [claim.id, claim.epoch, result],
  );
  if (rowCount !== 1) throw new StaleEpochError(claim);
}

export interface Failure {
  code: ErrorCode;
  /** Shown to the owner of the task: no SQL, path or payload text. */
  message: string;
}

/** @throws {StaleEpochError} when the claim is stale. */
export async function failTask(db: Queryable, claim: Claim, failure: Failure): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = 'error', error_code = $3, error_message = $4, attempts = attempts + 1, finished_at = now()
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [claim.id, claim.epoch, failure.code, failure.message],
  );
  if (rowCount !== 1) throw new StaleEpochError(claim);
}

/** Charges an attempt and queues the task again. @throws {StaleEpochError} when the claim is stale. */
export async function retryTask(
  db: Queryable,
  claim: Claim,
  failure: Failure,
  delayMs: number,
): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = 'queued', error_code = $3, error_message = $4, attempts = attempts + 1,
       run_at = now() + $5 * interval '1 millisecond'
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL`,
    [claim.id, claim.epoch, failure.code, failure.message, delayMs],
  );
  if (rowCount !== 1) throw new StaleEpochError(claim);
}
