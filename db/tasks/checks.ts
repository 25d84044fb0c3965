/**
 * What the reconciler asks of `ai.tasks`: which unfinished tasks to look at.
 */
import type { Queryable } from '../stores/postgres.ts';
import { DELAY_MS, TRAILING_LOCK } from './rows.ts';

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
