/**
 * Another life for tasks that have failed.
 */
import type { Queryable } from '../stores/postgres.ts';

/**
 * `reopened`: it may run again; `done`: it has succeeded after all, there is nothing to run; `newer`: the same work has
 * been asked for again since, and is under way; `unknown`: there is no such row.
 */
export type ReopenWord = 'reopened' | 'done' | 'newer' | 'unknown';

const UNIQUE_VIOLATION = '23505';

/**
 * Makes a task that has failed or was revoked unfinished again, with nothing charged and a new epoch, so that no earlier
 * start of it can end it. Effects stay done. Replies of a model that are accounted for have been judged already: their steps are
 * forgotten, so that the new life asks anew, and their calls are kept under the name of the step and the epoch.
 * @param quietMs how long the reconciler leaves it alone: until then the queue is to have it again, in milliseconds.
 */
export async function reopenTask(db: Queryable, id: string, quietMs: number): Promise<ReopenWord> {
  try {
    const { rowCount } = await db.query(
      `WITH opened AS (
         UPDATE ai.tasks SET status = 'queued', attempts = 0, epoch = epoch + 1, result = NULL, error_code = NULL,
           error_message = NULL, run_at = NULL, finished_at = NULL, requested_at = now(),
           check_at = now() + $2 * interval '1 millisecond'
         WHERE id = $1 AND status <> 'done' RETURNING id, epoch),
       judged AS (
         SELECT c.id AS call, s.task_id, s.step, opened.epoch FROM opened
         JOIN ai.task_steps s ON s.task_id = opened.id
         JOIN ai.llm_calls c ON c.task_id = s.task_id AND c.step = s.step),
       renamed AS (
         UPDATE ai.llm_calls c SET step = judged.step || '@' || judged.epoch FROM judged WHERE c.id = judged.call),
       forgotten AS (
         DELETE FROM ai.task_steps s USING judged WHERE s.task_id = judged.task_id AND s.step = judged.step)
       SELECT FROM opened`,
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
