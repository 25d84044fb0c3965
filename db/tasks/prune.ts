/**
 * What need not be kept for ever.
 */
import { KEY_LIVES } from './idempotency-keys.ts';
import type { Queryable } from '../stores/postgres.ts';

/**
 * Deletes tasks that finished longer ago than `olderThanMs`, the oldest first, with their steps, once no key leads to them any
 * more; the same goes for keys of requests that are no longer looked at.
 * @param limit most tasks and most keys.
 * @returns how many tasks and keys are gone.
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

/** Deletes every task with its steps and keys. */
export async function forgetTasks(db: Queryable): Promise<void> {
  await db.query('TRUNCATE ai.tasks, ai.task_steps, ai.idempotency_keys');
}
