/** Ends tasks outside an attempt: revoke, dead letter, expiry. */
import { ERRORS } from '../../base/errors.ts';
import type { Pool, Queryable } from '../stores/postgres.ts';
import { endAndAdvance } from './graphs/advance.ts';
import type { Failure } from './attempts.ts';

/** `revoked`: by this call; `ended`: finished before; `unknown`: no such row. */
export type RevokedRow = 'revoked' | 'ended' | 'unknown';

/**
 * Ends unfinished tasks, even running ones, whose later writes are then refused. Their graphs go on; the reconciler dispatches what
 * may run after them.
 * @returns one word per id, in order.
 */
export async function revokeTasks(db: Pool, ids: readonly string[]): Promise<RevokedRow[]> {
  return (await endAndAdvance(db, ids, (tx) => revokeRows(tx, ids))).ended;
}

async function revokeRows(db: Queryable, ids: readonly string[]): Promise<RevokedRow[]> {
  const { rows } = await db.query<{ id: string; revoked: boolean }>(
    // Locks rows in id order, so that concurrent calls do not deadlock.
    `WITH open AS (SELECT id FROM ai.tasks WHERE id = ANY($1) AND finished_at IS NULL ORDER BY id FOR UPDATE),
       closed AS (
         UPDATE ai.tasks SET status = 'revoked', error_code = 'TASK_REVOKED', error_message = $2, finished_at = now()
         WHERE id IN (SELECT id FROM open) AND finished_at IS NULL RETURNING id)
     SELECT id, id IN (SELECT id FROM closed) AS revoked FROM ai.tasks WHERE id = ANY($1)`,
    [ids, ERRORS.TASK_REVOKED.message],
  );
  const revoked = new Map(rows.map((row) => [row.id, row.revoked]));
  return ids.map((id) => {
    const isRevoked = revoked.get(id);
    if (isRevoked === undefined) return 'unknown';
    return isRevoked ? 'revoked' : 'ended';
  });
}

/** Conditions that a task must fulfil, all of them. */
export interface TaskFilter {
  /** Name of the task. */
  task?: string | undefined;
  /** External id of the owner. */
  userId?: string | undefined;
  subject?: string | undefined;
  queue?: string | undefined;
}

const FITS = `finished_at IS NULL AND ($1::text IS NULL OR name = $1) AND ($2::text IS NULL OR user_id = $2)
  AND ($3::text IS NULL OR subject = $3) AND ($4::text IS NULL OR queue = $4)`;
const valuesOf = ({ task, userId, subject, queue }: TaskFilter) => [task, userId, subject, queue];

/** How many unfinished tasks fit, and the time of counting. */
export async function countOpen(
  db: Queryable,
  filter: TaskFilter,
): Promise<{ tasks: number; at: Date }> {
  const { rows } = await db.query<{ tasks: number; at: Date }>(
    `SELECT count(*)::int AS tasks, now() AS at FROM ai.tasks WHERE ${FITS}`,
    valuesOf(filter),
  );
  return rows[0]!;
}

/** Unfinished tasks that fit and were accepted no later than `acceptedUntil`. */
export async function findOpen(
  db: Queryable,
  filter: TaskFilter,
  { acceptedUntil, limit }: { acceptedUntil: Date; limit: number },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM ai.tasks WHERE ${FITS} AND created_at < $5::timestamptz + interval '1 millisecond' LIMIT $6`,
    [...valuesOf(filter), acceptedUntil, limit],
  );
  return rows.map(({ id }) => id);
}

/** Epochs of the unfinished ones, by id. */
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
 * Records an end that only the queue knows: a dead letter or an expiry.
 * @param epoch closes the task only at this epoch, as the queue's answer may be stale. Default: at any.
 * @returns false when the task has finished or its epoch has changed.
 */
export async function closeTask(
  db: Pool,
  id: string,
  status: 'error' | 'revoked',
  failure: Failure,
  epoch?: string,
): Promise<boolean> {
  const { ended } = await endAndAdvance(db, [id], (tx) =>
    tx.query(
      `UPDATE ai.tasks SET status = $2, error_code = $3, error_message = $4, finished_at = now()
       WHERE id = $1 AND finished_at IS NULL AND epoch = coalesce($5, epoch)`,
      [id, status, failure.code, failure.message, epoch ?? null],
    ),
  );
  return ended.rowCount === 1;
}
