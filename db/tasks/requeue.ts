/** Reopens failed and revoked tasks. */
import { transaction, type Pool, type Queryable } from '../stores/postgres.ts';
import { lockGraphsOf } from './graphs/advance.ts';
import { findStepNames, forgetSteps } from './steps.ts';

/** `reopened`: may run again; `done`: has succeeded; `newer`: a later request for the work is in progress; `unknown`: no row. */
type ReopenWord = 'reopened' | 'done' | 'newer' | 'unknown';

const UNIQUE_VIOLATION = '23505';

/** Called with the names of a task's stored steps, within the transaction that reopens it. @returns the steps to run again. */
export type OnReopen = (
  tx: Queryable,
  task: { id: string; epoch: string; steps: readonly string[] },
) => Promise<readonly string[]>;

/**
 * Reopens a task that failed or was revoked, with no attempts or snoozes charged. The new epoch fences off earlier starts; effects stay done. Its graph
 * goes on from there: what was skipped because of it waits for it again.
 * @param quietMs how long the reconciler skips the row while the caller requeues the job, in milliseconds.
 * @param onReopen default: keep all stored steps.
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
  await lockGraphsOf(tx, [id]);
  const { rows } = await tx.query<{ epoch: string }>(
    `UPDATE ai.tasks SET status = 'queued', attempts = 0, snoozes = 0, epoch = epoch + 1, result = NULL, error_code = NULL,
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
  await tx.query('SELECT ai.reopen_after($1)', [id]);
  if (onReopen !== undefined) {
    const steps = await findStepNames(tx, id);
    await forgetSteps(tx, id, await onReopen(tx, { id, epoch: opened.epoch, steps }));
  }
  return 'reopened';
}
