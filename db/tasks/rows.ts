/** `ai.tasks`: accepted work, and the source of truth about its outcome. Written by accept.ts and attempts.ts. */
import type { ErrorCode } from '../../base/errors.ts';
import { shareQueries } from '../stores/group.ts';
import type { Queryable } from '../stores/postgres.ts';

/** `waiting`: for other tasks of its graph. */
export type TaskStatus = 'waiting' | 'queued' | 'running' | 'done' | 'error' | 'revoked';

export interface TaskRow {
  id: string;
  name: string;
  queue: string;
  status: TaskStatus;
  /** External id of the requesting user; null for sweeps. */
  user_id: string | null;
  /** What the task is about, such as a practice's external id. */
  subject: string | null;
  attempts: number;
  result: unknown;
  error_code: ErrorCode | null;
  error_message: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  /** Milliseconds until it may start, 0 if it may start now; null once finished. */
  delay_ms: number | null;
}

/** Whole milliseconds until a row may run, 0 if it may run now. */
export const DELAY_MS = 'ai.delay_ms(run_at)';

/** Advisory lock key of decisions about the trailing task of a dedupe key, in SQL; `ai.lock_request` takes it. */
export const TRAILING_LOCK = (key: string): string => `hashtextextended(${key}, 2)`;

const COLUMNS = `id, name, queue, status, user_id, subject, attempts, result, error_code, error_message,
  created_at, started_at, finished_at, CASE WHEN finished_at IS NULL THEN ${DELAY_MS} END AS delay_ms`;

/** @returns in order: undefined for an id that no task has. */
async function findTasks(db: Queryable, ids: readonly string[]): Promise<(TaskRow | undefined)[]> {
  const { rows } = await db.query<TaskRow>(`SELECT ${COLUMNS} FROM ai.tasks WHERE id = ANY($1)`, [
    ids,
  ]);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id));
}

/** Most tasks of one query, each with its result, and most queries at a time: few, so that most queries are shared. */
const TOGETHER = { most: 20, atOnce: 2 };

/** As `findTask`; what is asked for while a query is under way shares the next one. */
export function taskReader(db: Queryable): (id: string) => Promise<TaskRow | undefined> {
  const group = shareQueries((ids: readonly string[]) => findTasks(db, ids), TOGETHER);
  return (id) => group.add(id);
}

export async function findTask(db: Queryable, id: string): Promise<TaskRow | undefined> {
  const [row] = await findTasks(db, [id]);
  return row;
}

/** Finds which tasks exist and whether they have finished, in one query for all that a process waits for. */
export async function findEnds(
  db: Queryable,
  ids: readonly string[],
): Promise<{ id: string; finished: boolean }[]> {
  const { rows } = await db.query<{ id: string; finished: boolean }>(
    'SELECT id, finished_at IS NOT NULL AS finished FROM ai.tasks WHERE id = ANY($1)',
    [ids],
  );
  return rows;
}
