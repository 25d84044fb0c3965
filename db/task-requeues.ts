/**
 * Another life for tasks that have failed.
 */
import type { Queryable } from './postgres.ts';

/**
 * `reopened`: it may run again; `done`: it has succeeded after all, there is nothing to run; `newer`: the same work has
 * been asked for again since, and is under way; `unknown`: there is no such row.
 */
export type ReopenWord = 'reopened' | 'done' | 'newer' | 'unknown';

const UNIQUE_VIOLATION = '23505';

/**
 * Makes a task that has failed or was revoked unfinished again, with nothing charged and a new epoch, so that no earlier
 * start of it can end it.
 * @param quietMs how long the reconciler leaves it alone: until then the queue is to have it again, in milliseconds.
 */
export async function reopenTask(db: Queryable, id: string, quietMs: number): Promise<ReopenWord> {
  try {
    const { rowCount } = await db.query(
      `UPDATE ai.tasks SET status = 'queued', attempts = 0, epoch = epoch + 1, result = NULL, error_code = NULL,
         error_message = NULL, run_at = NULL, finished_at = NULL, requested_at = now(),
         check_at = now() + $2 * interval '1 millisecond'
       WHERE id = $1 AND status <> 'done'`,
      [id, quietMs],
    );
    if (rowCount === 1) return 'reopened';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION)
      return 'newer';
    throw error;
  }
  const { rows } = await db.query('SELECT 1 FROM ai.tasks WHERE id = $1', [id]);
  return rows.length === 1 ? 'done' : 'unknown';
}
