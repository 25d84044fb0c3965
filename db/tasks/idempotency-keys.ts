/**
 * `ai.idempotency_keys`: which request each Idempotency-Key of a user came with, and the task that answered it.
 */
import { AppError } from '../../base/errors.ts';
import type { Accepted, AcceptRequest } from './request.ts';
import type { Queryable } from '../stores/postgres.ts';
import type { TaskStatus } from './rows.ts';

/** How long a key leads to its task, as SQL. */
export const KEY_LIVES = `interval '24 hours'`;

/** Requests with the same key wait for each other here: the second one finds what the first one wrote. */
export async function findRepeated(
  tx: Queryable,
  request: AcceptRequest,
): Promise<Accepted | undefined> {
  const { userId, idempotencyKey, name, payload, keyedRequest = payload } = request;
  if (userId === undefined || idempotencyKey === undefined) return undefined;
  const lock = `${userId}:${idempotencyKey}`;
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lock]);
  await tx.query(
    `DELETE FROM ai.idempotency_keys
     WHERE user_id = $1 AND key = $2 AND created_at < now() - ${KEY_LIVES}`,
    [userId, idempotencyKey],
  );
  const { rows } = await tx.query<{
    id: string;
    status: TaskStatus;
    same: boolean;
    was_done: boolean;
  }>(
    `SELECT t.id, t.status, k.name = $3 AND k.payload IN ($4, $5) AS same,
       t.status = 'done' AND t.finished_at <= k.created_at AS was_done
     FROM ai.idempotency_keys k JOIN ai.tasks t ON t.id = k.task_id
     WHERE k.user_id = $1 AND k.key = $2`,
    // Keys of a release before this one have the payload.
    [userId, idempotencyKey, name, keyedRequest, payload],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (!row.same) throw new AppError('IDEMPOTENCY_KEY_REUSED');
  return { id: row.id, status: row.status, outcome: row.was_done ? 'finished' : 'repeated' };
}

export async function rememberKey(
  tx: Queryable,
  request: AcceptRequest,
  taskId: string,
): Promise<void> {
  const { userId, idempotencyKey, name, payload, keyedRequest = payload } = request;
  if (userId === undefined || idempotencyKey === undefined) return;
  await tx.query(
    `INSERT INTO ai.idempotency_keys (user_id, key, task_id, name, payload) VALUES ($1, $2, $3, $4, $5)`,
    [userId, idempotencyKey, taskId, name, keyedRequest],
  );
}
