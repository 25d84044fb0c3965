/** Deletes old tasks and keys, and those that one person has too many of. */
import type { Queryable } from '../stores/postgres.ts';

export interface Kept {
  /** How long finished tasks are kept, in milliseconds. */
  ms: number;
  /** Tasks of each name, and keys, that are kept of one person: the newest. Unfinished tasks stay. */
  perPerson: number;
}

/** People whose last task or key is older than this were looked at before. */
const LATELY = `interval '1 hour'`;

/** Lifetime of an Idempotency-Key, as `ai.find_same_key` has it. */
const KEY_LIVES = `interval '24 hours'`;

/** A live key still leads to its task. */
const HAS_LIVE_KEY = `EXISTS (SELECT FROM ai.idempotency_keys WHERE task_id = t.id AND created_at >= now() - ${KEY_LIVES})`;

/**
 * Deletes finished tasks, with their steps, that are too old or too many, unless a live key refers to them; and keys that have
 * expired or are too many.
 * @param limit maximum rows per kind and reason.
 * @returns the number of deleted tasks and keys.
 */
export async function pruneTasks(
  db: Queryable,
  { ms, perPerson }: Kept,
  limit: number,
): Promise<number> {
  let deleted = 0;
  for (const [text, ...values] of [
    [OLD_TASKS, limit, ms],
    [OLD_GRAPHS, limit, ms],
    [SURPLUS_TASKS, limit, perPerson],
    [EXPIRED_KEYS, limit],
    [SURPLUS_KEYS, limit, perPerson],
  ] as const) {
    const { rowCount } = await db.query(text, values);
    deleted += rowCount ?? 0;
  }
  return deleted;
}

const EXPIRED_KEYS = `DELETE FROM ai.idempotency_keys WHERE (user_id, key) IN (
  SELECT user_id, key FROM ai.idempotency_keys WHERE created_at < now() - ${KEY_LIVES}
  ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`;

const SURPLUS_KEYS = `DELETE FROM ai.idempotency_keys WHERE (user_id, key) IN (
  SELECT person.user_id, surplus.key
  FROM (SELECT DISTINCT user_id FROM ai.idempotency_keys WHERE created_at > now() - ${LATELY}) person,
    LATERAL (SELECT key FROM ai.idempotency_keys WHERE user_id = person.user_id
             ORDER BY created_at DESC, key OFFSET $2::int LIMIT $1) surplus
  LIMIT $1)`;

const OLD_TASKS = `DELETE FROM ai.tasks WHERE id IN (
  SELECT id FROM ai.tasks t
  WHERE finished_at < now() - $2 * interval '1 millisecond' AND graph_id IS NULL AND NOT ${HAS_LIVE_KEY}
  ORDER BY finished_at LIMIT $1 FOR UPDATE SKIP LOCKED)`;

const SURPLUS_TASKS = `DELETE FROM ai.tasks WHERE finished_at IS NOT NULL AND id IN (
  SELECT t.id
  FROM (SELECT DISTINCT user_id, name FROM ai.tasks WHERE finished_at > now() - ${LATELY} AND user_id IS NOT NULL) person,
    LATERAL (SELECT id, finished_at, graph_id FROM ai.tasks WHERE user_id = person.user_id AND name = person.name
             ORDER BY created_at DESC OFFSET $2::int) t
  WHERE t.finished_at IS NOT NULL AND t.graph_id IS NULL AND NOT ${HAS_LIVE_KEY} LIMIT $1)`;

/** With all of their tasks, which may be thousands each. */
const OLD_GRAPHS = `WITH old AS (
    SELECT id FROM ai.graphs WHERE finished_at < now() - $2 * interval '1 millisecond'
    ORDER BY finished_at LIMIT ceil($1 / 100.0) FOR UPDATE SKIP LOCKED),
  tasks AS (DELETE FROM ai.tasks WHERE graph_id IN (SELECT id FROM old))
  DELETE FROM ai.graphs WHERE id IN (SELECT id FROM old)`;

export async function forgetTasks(db: Queryable): Promise<void> {
  await db.query('TRUNCATE ai.tasks, ai.task_steps, ai.idempotency_keys, ai.graphs CASCADE');
}
