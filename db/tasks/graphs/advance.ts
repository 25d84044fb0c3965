/**
 * Lets graphs go on. What ends a task and what follows from that is one transaction, in this order: lock the graphs, end the tasks,
 * advance. The functions are in `db/migrations/ai/018_graphs.sql`.
 */
import { ERRORS } from '../../../base/errors.ts';
import { transaction, type Pool, type Queryable, type Row } from '../../stores/postgres.ts';
import type { ReleasedTask } from './request.ts';

/** `ai.released_task` */
export interface ReleasedRow extends Row {
  id: string;
  name: string;
  queue: string;
  priority: number;
  payload: string;
  /** JSON text. */
  options: string;
  delay_ms: number;
  expires_ms: number | null;
}

export function readReleased(row: ReleasedRow): ReleasedTask {
  const { id, name, queue, priority, payload, options, delay_ms: delayMs, expires_ms } = row;
  const { headers } = JSON.parse(options) as Pick<ReleasedTask, 'headers'>;
  const expiresMs = expires_ms ?? undefined;
  return { id, name, queue, priority, payload, headers, delayMs, expiresMs };
}

/**
 * Ends tasks and advances their graphs.
 * @param end ends them, or some of them, within the transaction.
 * @returns what `end` does, and the tasks that may run now.
 */
export async function endAndAdvance<T>(
  db: Pool,
  ids: readonly string[],
  end: (tx: Queryable) => Promise<T>,
): Promise<{ ended: T; released: ReleasedTask[] }> {
  return transaction(db, async (tx) => {
    // One round trip: the connection runs each once the one before has ended.
    const [, ended, { rows }] = await Promise.all([
      lockGraphsOf(tx, ids),
      end(tx),
      tx.query<ReleasedRow>('SELECT * FROM ai.advance_after($1)', [ids]),
    ]);
    return { ended, released: rows.map(readReleased) };
  });
}

/** In the order of their ids, so that concurrent transactions do not deadlock. */
export async function lockGraphsOf(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query(
    `SELECT FROM ai.graphs WHERE id IN (SELECT graph_id FROM ai.tasks WHERE id = ANY($1)) ORDER BY id FOR NO KEY UPDATE`,
    [ids],
  );
}

export async function lockGraph(tx: Queryable, id: string): Promise<void> {
  await tx.query('SELECT FROM ai.graphs WHERE id = $1 FOR NO KEY UPDATE', [id]);
}

/** Goes on wherever a locked graph could. @returns the tasks that may run now. */
export async function advanceAll(tx: Queryable, id: string): Promise<ReleasedTask[]> {
  const { rows } = await tx.query<ReleasedRow>('SELECT * FROM ai.advance_all($1)', [id]);
  return rows.map(readReleased);
}

/** Claims unfinished graphs whose check is overdue, or that follow a task which has ended. @returns their ids. */
export async function takeGraphChecks(
  db: Queryable,
  limit: number,
  againAfterMs: number,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `UPDATE ai.graphs g SET check_at = least(now() + $2 * interval '1 millisecond', expires_at)
     FROM (SELECT id FROM ai.graphs WHERE finished_at IS NULL AND (check_at <= now() OR id IN (
             SELECT j.graph_id FROM ai.graph_junctions j LEFT JOIN ai.tasks t ON t.id = j.follows
             WHERE j.follows IS NOT NULL AND j.state = 'open' AND (t.id IS NULL OR t.finished_at IS NOT NULL)))
           ORDER BY check_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED) due
     WHERE g.id = due.id RETURNING g.id`,
    [limit, againAfterMs],
  );
  return rows.map(({ id }) => id);
}

/** Goes on wherever a graph could, or ends it if its time is up. @returns tasks to dispatch and tasks to revoke. */
export async function checkGraph(
  db: Pool,
  id: string,
): Promise<{ released: ReleasedTask[]; revoked: string[] }> {
  return transaction(db, async (tx) => {
    await lockGraph(tx, id);
    const { rows } = await tx.query<{ expired: boolean }>(
      'SELECT coalesce(expires_at <= now(), false) AS expired FROM ai.graphs WHERE id = $1 AND finished_at IS NULL',
      [id],
    );
    if (rows[0]?.expired === true) {
      return { released: [], revoked: await endGraph(tx, id, 'TASK_EXPIRED') };
    }
    return { released: rows.length === 0 ? [] : await advanceAll(tx, id), revoked: [] };
  });
}

/** Ends a locked graph with all of its unfinished tasks. @returns their ids; none if the graph had ended. */
export async function endGraph(
  tx: Queryable,
  id: string,
  code: 'TASK_REVOKED' | 'TASK_EXPIRED',
): Promise<string[]> {
  const { rowCount } = await tx.query(
    `UPDATE ai.graphs SET status = 'revoked', finished_at = now() WHERE id = $1 AND finished_at IS NULL`,
    [id],
  );
  if (rowCount !== 1) return [];
  const [{ rows }] = await Promise.all([
    tx.query<{ id: string }>(
      `UPDATE ai.tasks SET status = 'revoked', error_code = $2, error_message = $3, finished_at = now()
       WHERE graph_id = $1 AND finished_at IS NULL RETURNING id`,
      [id, code, ERRORS[code].message],
    ),
    tx.query(
      `UPDATE ai.graph_junctions SET state = 'skipped' WHERE graph_id = $1 AND state = 'open'`,
      [id],
    ),
  ]);
  return rows.map((row) => row.id);
}
