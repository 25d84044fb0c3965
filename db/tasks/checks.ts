/**
 * What the reconciler asks of `ai.tasks`: which unfinished tasks to look at, and ends only the queue knows of.
 */
import { ERRORS } from '../../base/errors.ts';
import type { Queryable } from '../stores/postgres.ts';
import { DELAY_MS, TRAILING_LOCK } from './rows.ts';
import type { Failure } from './attempts.ts';

/** What the reconciler needs to rebuild a job. */
export interface UnfinishedTask {
  id: string;
  name: string;
  queue: string;
  priority: number;
  payload: string;
  headers: Record<string, string> | null;
  /** Changes when it is started or reopened. */
  epoch: string;
  /** Milliseconds until it may run; 0 when it may run now. */
  delay_ms: number;
  /** Milliseconds until it must not be started any more; null for never. */
  expires_ms: number | null;
}

/**
 * Unfinished tasks whose check is due, oldest check first; the next check is set before they are returned, so any number
 * of processes share the work and a crash here only delays them.
 */
export async function takeDueChecks(
  db: Queryable,
  limit: number,
  againAfterMs: number,
): Promise<UnfinishedTask[]> {
  const { rows } = await db.query<UnfinishedTask>(
    `UPDATE ai.tasks t SET check_at = now() + $2 * interval '1 millisecond'
     FROM (SELECT id FROM ai.tasks WHERE finished_at IS NULL AND check_at <= now()
           ORDER BY check_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
     WHERE t.id = due.id
     RETURNING t.id, t.name, t.queue, t.priority, t.payload::text AS payload, t.epoch,
       t.options->'headers' AS headers,
       ${DELAY_MS} AS delay_ms,
       CASE WHEN t.expires_at IS NOT NULL
         THEN greatest(0, floor(extract(epoch FROM t.expires_at - now()) * 1000)) END::float8 AS expires_ms`,
    [limit, againAfterMs],
  );
  return rows;
}

/**
 * Releases tasks that waited for another one of their key to end, so that their check is due.
 * @returns how many.
 */
export async function releaseTrailing(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks t SET trails = false, check_at = now()
     WHERE trails AND finished_at IS NULL AND NOT EXISTS (
       SELECT FROM ai.tasks o WHERE o.dedupe_key = t.dedupe_key AND o.finished_at IS NULL AND NOT o.trails)
       AND pg_try_advisory_xact_lock(${TRAILING_LOCK('t.dedupe_key')})`,
  );
  return rowCount ?? 0;
}

/** Ends a task that has not ended, whoever runs it: what that one still writes is refused. */
export async function revokeTask(
  db: Queryable,
  id: string,
): Promise<'revoked' | 'ended' | 'unknown'> {
  const revoked = await closeTask(db, id, 'revoked', {
    code: 'TASK_REVOKED',
    message: ERRORS.TASK_REVOKED.message,
  });
  if (revoked) return 'revoked';
  const { rowCount } = await db.query('SELECT FROM ai.tasks WHERE id = $1', [id]);
  return rowCount === 0 ? 'unknown' : 'ended';
}

/**
 * Makes checks due again, for instance because the queue could not be asked: of tasks that have not been started or reopened
 * meanwhile, as the check of those is set for another reason.
 */
export async function checkAgain(
  db: Queryable,
  tasks: readonly Pick<UnfinishedTask, 'id' | 'epoch'>[],
  afterMs: number,
): Promise<void> {
  await db.query(
    `UPDATE ai.tasks t SET check_at = now() + $3 * interval '1 millisecond'
     FROM unnest($1::uuid[], $2::bigint[]) AS taken (id, epoch)
     WHERE t.id = taken.id AND t.epoch = taken.epoch AND finished_at IS NULL`,
    [tasks.map(({ id }) => id), tasks.map(({ epoch }) => epoch), afterMs],
  );
}

/** The epochs of those that have not ended, by id. */
export async function findEpochs(
  db: Queryable,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ id: string; epoch: string }>(
    'SELECT id, epoch FROM ai.tasks WHERE id = ANY($1) AND finished_at IS NULL',
    [ids],
  );
  return new Map(rows.map(({ id, epoch }) => [id, epoch]));
}

/**
 * Writes an end that only the queue knows of: a dead letter by deaths, an expiry.
 * @param epoch only if it is still at this one: what the queue said is of before. Default: at any.
 * @returns false when it is finished already, or has moved on.
 */
export async function closeTask(
  db: Queryable,
  id: string,
  status: 'error' | 'revoked',
  failure: Failure,
  epoch?: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks SET status = $2, error_code = $3, error_message = $4, finished_at = now()
     WHERE id = $1 AND finished_at IS NULL AND epoch = coalesce($5, epoch)`,
    [id, status, failure.code, failure.message, epoch ?? null],
  );
  return rowCount === 1;
}
