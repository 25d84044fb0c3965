/**
 * Ends that no attempt writes: a revoke, a dead letter, an expiry.
 */
import { ERRORS } from '../../base/errors.ts';
import type { Queryable } from '../stores/postgres.ts';
import type { Failure } from './attempts.ts';

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
