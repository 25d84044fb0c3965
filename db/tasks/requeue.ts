/**
 * Another life for tasks that have failed.
 */
import { transaction, type Pool, type Queryable } from '../stores/postgres.ts';
import { findStepNames, forgetSteps } from './steps.ts';

/**
 * `reopened`: it may run again; `done`: it has succeeded after all, there is nothing to run; `newer`: the same work has
 * been asked for again since, and is under way; `unknown`: there is no such row.
 */
export type ReopenWord = 'reopened' | 'done' | 'newer' | 'unknown';

const UNIQUE_VIOLATION = '23505';

/**
 * Told of a task that is about to have another life, inside the transaction.
 * @param task.steps names of what it has stored.
 * @returns the steps that the new life is to do again.
 */
export type OnReopen = (
  tx: Queryable,
  task: { id: string; epoch: string; steps: readonly string[] },
) => Promise<readonly string[]>;

/**
 * Makes a task that has failed or was revoked unfinished again, with nothing charged and a new epoch, so that no earlier
 * start of it can end it. Effects stay done.
 * @param quietMs how long the reconciler leaves it alone: until then the queue is to have it again, in milliseconds.
 * @param onReopen default: every stored step is kept.
 */
export async function reopenTask(
  db: Pool,
  id: string,
  quietMs: number,
  onReopen?: OnReopen,
): Promise<ReopenWord> {
  try {
    return await transaction(db, (tx) => reopen(tx, id, quietMs, onReopen));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION)
      return 'newer';
    throw error;
  }
}

async function reopen(
  tx: Queryable,
  id: string,
  quietMs: number,
  onReopen: OnReopen | undefined,
): Promise<ReopenWord> {
  const { rows } = await tx.query<{ epoch: string }>(
    `UPDATE ai.tasks SET status = 'queued', attempts = 0, epoch = epoch + 1, result = NULL, error_code = NULL,
       error_message = NULL, run_at = NULL, finished_at = NULL, requested_at = now(),
       check_at = now() + $2 * interval '1 millisecond'
     WHERE id = $1 AND status <> 'done' RETURNING epoch`,
    [id, quietMs],
  );
  const opened = rows[0];
  if (opened === undefined) {
    const { rowCount } = await tx.query('SELECT FROM ai.tasks WHERE id = $1', [id]);
    return rowCount === 1 ? 'done' : 'unknown';
  }
  if (onReopen !== undefined) {
    const steps = await findStepNames(tx, id);
    await forgetSteps(tx, id, await onReopen(tx, { id, epoch: opened.epoch, steps }));
  }
  return 'reopened';
}
