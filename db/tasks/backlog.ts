/** Measures overdue tasks that have not started. */
import type { Queryable } from '../stores/postgres.ts';

export interface BacklogSize {
  tasks: number;
  /** How long the oldest has been overdue, in milliseconds; 0 without any. */
  ageMs: number;
}

/** @param most limit of the tasks counted; `ageMs` then covers only those. */
export async function measureBacklog(db: Queryable, most: number): Promise<BacklogSize> {
  const { rows } = await db.query<BacklogSize>(
    `SELECT count(*)::int AS tasks,
       coalesce(extract(epoch FROM now() - min(due_at)) * 1000, 0)::float8 AS "ageMs"
     FROM (SELECT coalesce(run_at, created_at) AS due_at FROM ai.tasks
           WHERE finished_at IS NULL AND started_at IS NULL AND NOT trails AND status <> 'waiting'
             AND coalesce(run_at, created_at) <= now()
           LIMIT $1) due`,
    [most],
  );
  return rows[0]!;
}
