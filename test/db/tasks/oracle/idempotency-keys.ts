/** `ai.idempotency_keys`: maps each Idempotency-Key of a user to its request and task. */
import { AppError } from '../../../../base/errors.ts';
import type { Accepted, AcceptRequest } from '../../../../db/tasks/request.ts';
import type { Queryable } from '../../../../db/stores/postgres.ts';
import type { TaskStatus } from '../../../../db/tasks/rows.ts';

/** Lifetime of a key, in SQL. */
const KEY_LIVES = `interval '24 hours'`;

/** Serialises requests with the same key, so that the second one finds the first one's row. */
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
    // Keys written by earlier releases hold the payload.
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
