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
  /** Whether the task had not been started before. */
  isFirst: boolean;
  /** Attempts charged so far, according to Postgres. */
  attempts: number;
  snoozes: number;
  /** ISO 8601; null unless a schedule made the request. */
  slot: string | null;
  /** Name of the task to run, whatever the queue's job is called. */
  name: string;
  queue: string;
  userId: string | null;
  /** Null unless it belongs to a graph. */
  graphId: string | null;
  /** The node of the graph whose output it takes; null for none. */
  previous: number | null;
  /** JSON text; a later request may have replaced it. */
  payload: string;
  /** Time of the last request for the task. */
  requestedAt: Date;
  /** When this attempt was due: at the first start, or after the delay of a retry. */
  dueAt: Date;
}

/** An attempt to start. */
export interface Starting {
  id: string;
  /**
   * Attempts counted by the queue; the row keeps the larger number. Only an attempt that overran its hard limit is charged by the
   * queue before the row.
   */
  charged: number;
}

/** What becomes of a row that another transaction has locked: it is waited for, for 2 s at most, or left as it is. */
export type IfLocked = 'wait' | 'skip';

/**
 * Whether a task is unfinished, in SQL. With `finished_at IS NULL`, Postgres would look for a few rows in an index of all unfinished
 * ones while it thinks that these are few.
 */
const IS_OPEN = `status IN ('queued', 'running')`;

/** The lock that an UPDATE takes anyway. */
const lock = (ifLocked: IfLocked): string =>
  `FOR NO KEY UPDATE OF tasks${ifLocked === 'skip' ? ' SKIP LOCKED' : ''}`;

/**
 * Starts attempts under new epochs. A first attempt never starts before its time, even if the queue delivers it early.
 * @returns in order: undefined for a task that is finished, unknown or not due yet, whose row was left, or that stands here twice.
 */
export async function startTasks(
  db: Queryable,
  starts: readonly Starting[],
  ifLocked: IfLocked,
): Promise<(Start | undefined)[]> {
  const { rows } = await db.query<Start & { n: number }>(
    `UPDATE ai.tasks t
     SET epoch = epoch + 1, status = 'running', attempts = greatest(attempts, charged), started_at = coalesce(started_at, now()),
       retries = CASE WHEN charged > attempts THEN ${withRetry('charged', '$3', '$4')} ELSE retries END
     FROM (SELECT id, charged, n, started_at IS NULL AS is_first FROM ai.tasks
           JOIN unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS given (id, charged, n) USING (id)
           WHERE ${IS_OPEN} AND (started_at IS NOT NULL OR run_at IS NULL OR run_at <= now())
           ${lock(ifLocked)}) due
     WHERE t.id = due.id
     RETURNING n::integer, epoch, is_first AS "isFirst", attempts, snoozes, name, queue, options->>'slot' AS slot, user_id AS "userId",
       graph_id AS "graphId", previous_node AS previous, payload::text AS payload, requested_at AS "requestedAt", greatest(requested_at, run_at, started_at) AS "dueAt"`,
    [
      starts.map(({ id }) => id),
      starts.map(({ charged }) => charged),
      'TASK_TIME_LIMIT',
      ERRORS.TASK_TIME_LIMIT.message,
    ],
  );
  const started: (Start | undefined)[] = starts.map(() => undefined);
  for (const { n, ...start } of rows) started[n - 1] = start;
  return started;
}

/** Starts one attempt, as `startTasks` does. @returns undefined when the task is finished, unknown or not due yet. */
export async function startTask(
  db: Queryable,
  id: string,
  charged: number,
): Promise<Start | undefined> {
  const [start] = await startTasks(db, [{ id, charged }], 'wait');
  return start;
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

export interface Failure {
  code: ErrorCode;
  /** Shown to the task's owner: no SQL, path or payload. */
  message: string;
}

/**
 * A success has JSON text; delays are in milliseconds. `unstarted` undoes a start whose handler did not run. All but a snooze and this
 * charge an attempt.
 */
export type End =
  | { kind: 'succeeded'; result: string }
  | ({ kind: 'failed' } & Failure)
  | ({ kind: 'retry'; delayMs: number } & Failure)
  | { kind: 'snoozed'; delayMs: number }
  | { kind: 'unstarted'; isFirst: boolean };

export interface Ending {
  fence: Fence;
  end: End;
}

/** What the kinds of ends have, taken together. */
interface EndColumns {
  kind: End['kind'];
  result?: string;
  code?: string;
  message?: string;
  delayMs?: number;
  isFirst?: boolean;
}

/** Ends that charge nothing and leave the last failure as it is, in SQL. */
const IS_UNCHARGED = `kind IN ('snoozed', 'unstarted')`;

/**
 * Settles attempts, each only at the epoch of its fence. All but a success and a failure queue the task again.
 * @returns in order: false for an attempt whose fence is stale or whose row was left.
 */
export async function settleTasks(
  db: Queryable,
  endings: readonly Ending[],
  ifLocked: IfLocked,
): Promise<boolean[]> {
  const ends = endings.map(({ end }): EndColumns => end);
  const { rows } = await db.query<{ n: number }>(
    `UPDATE ai.tasks t
     SET status = CASE kind WHEN 'succeeded' THEN 'done' WHEN 'failed' THEN 'error' ELSE 'queued' END,
       finished_at = CASE WHEN kind IN ('succeeded', 'failed') THEN now() END,
       run_at = coalesce(now() + delay_ms * interval '1 millisecond', run_at),
       started_at = CASE WHEN is_first THEN NULL ELSE started_at END,
       attempts = attempts + (NOT ${IS_UNCHARGED})::integer,
       snoozes = snoozes + (kind = 'snoozed')::integer,
       result = owned.result::json,
       error_code = CASE WHEN ${IS_UNCHARGED} THEN error_code ELSE code END,
       error_message = CASE WHEN ${IS_UNCHARGED} THEN error_message ELSE message END,
       retries = CASE kind WHEN 'retry' THEN ${withRetry('attempts + 1', 'code', 'message')} ELSE retries END
     FROM (SELECT given.* FROM ai.tasks
           JOIN unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::boolean[])
             WITH ORDINALITY AS given (id, epoch, kind, result, code, message, delay_ms, is_first, n) USING (id, epoch)
           WHERE ${IS_OPEN}
           ${lock(ifLocked)}) owned
     WHERE t.id = owned.id
     RETURNING n::integer`,
    [
      endings.map(({ fence }) => fence.id),
      endings.map(({ fence }) => fence.epoch),
      ends.map(({ kind }) => kind),
      ends.map(({ result }) => result),
      ends.map(({ code }) => code),
      ends.map(({ message }) => message),
      ends.map(({ delayMs }) => delayMs),
      ends.map(({ isFirst }) => isFirst),
    ],
  );
  const settled = endings.map(() => false);
  for (const { n } of rows) settled[n - 1] = true;
  return settled;
}

/** Settles one attempt, as `settleTasks` does. @throws {StaleEpochError} when the fence is stale. */
export async function settleTask(db: Queryable, fence: Fence, end: End): Promise<void> {
  const [isSettled] = await settleTasks(db, [{ fence, end }], 'wait');
  if (isSettled !== true) throw new StaleEpochError(fence);
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
