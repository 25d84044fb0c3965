/** The reconciler's queries: which unfinished tasks to check. */
import type { Queryable } from '../stores/postgres.ts';
import { DELAY_MS, TRAILING_LOCK } from './rows.ts';

/** The data to rebuild a job. */
export interface UnfinishedTask {
  id: string;
  name: string;
  queue: string;
  priority: number;
  payload: string;
  /** JSON text of the accepted options: parsing it in Postgres would let one odd row fail the query for all. */
  options: string;
  /** Changes with every start and reopening. */
  epoch: string;
  /** Milliseconds until it may run; 0 if it may run now. */
  delay_ms: number;
  /** Milliseconds until it must no longer start; null for never. */
  expires_ms: number | null;
}

/**
 * Claims unfinished tasks whose check is overdue, oldest first, by setting their next check. Processes share the work, and a crash
 * only delays the checks.
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
       t.options::text AS options,
       ${DELAY_MS} AS delay_ms,
       CASE WHEN t.expires_at IS NOT NULL
         THEN greatest(0, floor((extract(epoch FROM t.expires_at) - extract(epoch FROM now())) * 1000)) END::float8 AS expires_ms`,
    [limit, againAfterMs],
  );
  return rows;
}

/** Releases trailing tasks whose key has no other unfinished task. @returns the number released. */
export async function releaseTrailing(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE ai.tasks t SET trails = false, check_at = now()
     WHERE trails AND finished_at IS NULL AND NOT EXISTS (
       SELECT FROM ai.tasks o WHERE o.dedupe_key = t.dedupe_key AND o.finished_at IS NULL AND NOT o.trails)
       AND pg_try_advisory_xact_lock(${TRAILING_LOCK('t.dedupe_key')})`,
  );
  return rowCount ?? 0;
}

/** Reschedules checks, such as when the queue is unavailable. Skips tasks started or reopened since: they have their own check. */
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
