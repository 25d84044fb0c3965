/** Deletes old tasks and keys. */
import { KEY_LIVES } from './idempotency-keys.ts';
import type { Queryable } from '../stores/postgres.ts';

/**
 * Deletes tasks that finished more than `olderThanMs` ago, with their steps, oldest first, unless a live key refers to them; and
 * expired keys.
 * @param limit maximum tasks, and maximum keys.
 * @returns the number of deleted tasks and keys.
 */
export async function pruneTasks(
  db: Queryable,
  olderThanMs: number,
  limit: number,
): Promise<number> {
  const tasks = await db.query(
    `DELETE FROM ai.tasks WHERE id IN (
       SELECT id FROM ai.tasks t WHERE finished_at < now() - $1 * interval '1 millisecond' AND NOT EXISTS (
         SELECT FROM ai.idempotency_keys WHERE task_id = t.id AND created_at >= now() - ${KEY_LIVES})
       ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [olderThanMs, limit],
  );
  const keys = await db.query(
    `DELETE FROM ai.idempotency_keys WHERE (user_id, key) IN (
       SELECT user_id, key FROM ai.idempotency_keys WHERE created_at < now() - ${KEY_LIVES}
       ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return (tasks.rowCount ?? 0) + (keys.rowCount ?? 0);
}

export async function forgetTasks(db: Queryable): Promise<void> {
  await db.query('TRUNCATE ai.tasks, ai.task_steps, ai.idempotency_keys');
}
