/**
 * `ai.tasks`: accepted work and the truth about its outcome.
 */
import { AppError, type ErrorCode } from '../errors.ts';
import { transaction, type Pool, type Queryable } from './postgres.ts';

export type TaskStatus = 'queued' | 'running' | 'done' | 'error' | 'revoked';

export interface TaskRow {
  id: string;
  name: string;
  queue: string;
  status: TaskStatus;
  /** External id of the user who asked; null for sweeps. */
  user_id: string | null;
  /** What the task is about, for instance a practice's external id. */
  subject: string | null;
  attempts: number;
  result: unknown;
  error_code: ErrorCode | null;
  error_message: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

export interface AcceptRequest {
  /** A UUID (v4). */
  id: string;
  name: string;
  queue: string;
  /** 0 to 9, 9 first. */
  priority: number;
  /** JSON text, kept to the letter so that its digest stays the same. */
  payload: string;
  userId?: string | undefined;
  subject?: string | undefined;
  /** At most one unfinished row per key. */
  dedupeKey?: string | undefined;
  /** Unique per user for 24 h. */
  idempotencyKey?: string | undefined;
  /** Hash of everything the result depends on: a finished task with the same one is the answer. */
  inputHash?: string | undefined;
}

export interface Accepted {
  id: string;
  status: TaskStatus;
  /** `created`: a new row; `unfinished`: the same work is on its way; `repeated`: same Idempotency-Key; `finished`: same input, already done. */
  outcome: 'created' | 'unfinished' | 'repeated' | 'finished';
}

const COLUMNS = `id, name, queue, status, user_id, subject, attempts, result, error_code, error_message,
  created_at, started_at, finished_at`;

/**
 * Stores a request, or finds the task that already answers it, in this order: same Idempotency-Key; an unfinished row
 * with the same dedupe key; a finished one with the same input, if nothing newer was written since.
 * @throws {AppError} `IDEMPOTENCY_KEY_REUSED` when the key came with another request.
 */
export async function acceptTask(pool: Pool, request: AcceptRequest): Promise<Accepted> {
  return transaction(pool, async (tx) => {
    const repeated = await findRepeated(tx, request);
    if (repeated !== undefined) return repeated;
    const accepted = await insertOrFind(tx, request);
    await rememberKey(tx, request, accepted.id);
    return accepted;
  });
}

async function insertOrFind(tx: Queryable, request: AcceptRequest): Promise<Accepted> {
  const { rows } = await tx.query<{ id: string; status: TaskStatus; created: boolean }>(
    `INSERT INTO ai.tasks AS t (id, name, queue, priority, payload, user_id, subject, dedupe_key, input_hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (dedupe_key) WHERE finished_at IS NULL DO UPDATE SET requested_at = now()
     RETURNING id, status, xmax = 0 AS created`,
    [
      request.id,
      request.name,
      request.queue,
      request.priority,
      request.payload,
      request.userId,
      request.subject,
      request.dedupeKey,
      request.inputHash,
    ],
  );
  const row = rows[0]!;
  if (!row.created) return { id: row.id, status: row.status, outcome: 'unfinished' };
  // Looked up after the insert: a twin that finished before it is visible now, one that did not would have collided.
  const finished = await findFinished(tx, request);
  if (finished === undefined) return { id: row.id, status: row.status, outcome: 'created' };
  await tx.query('DELETE FROM ai.tasks WHERE id = $1', [row.id]);
  return { id: finished, status: 'done', outcome: 'finished' };
}

/** Requests with the same key wait for each other here: the second one finds what the first one wrote. */
async function findRepeated(tx: Queryable, request: AcceptRequest): Promise<Accepted | undefined> {
  const { userId, idempotencyKey } = request;
  if (userId === undefined || idempotencyKey === undefined) return undefined;
  const lock = `${userId}:${idempotencyKey}`;
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lock]);
  await tx.query(
    `DELETE FROM ai.idempotency_keys
     WHERE user_id = $1 AND key = $2 AND created_at < now() - interval '24 hours'`,
    [userId, idempotencyKey],
  );
  const { rows } = await tx.query<{
    id: string;
    status: TaskStatus;
    same: boolean;
    was_done: boolean;
  }>(
    `SELECT t.id, t.status, k.name = $3 AND k.payload = $4 AS same,
       t.status = 'done' AND t.finished_at <= k.created_at AS was_done
     FROM ai.idempotency_keys k JOIN ai.tasks t ON t.id = k.task_id
     WHERE k.user_id = $1 AND k.key = $2`,
    [userId, idempotencyKey, request.name, request.payload],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (!row.same) throw new AppError('IDEMPOTENCY_KEY_REUSED');
  return { id: row.id, status: row.status, outcome: row.was_done ? 'finished' : 'repeated' };
}

async function rememberKey(tx: Queryable, request: AcceptRequest, taskId: string): Promise<void> {
  const { userId, idempotencyKey, name, payload } = request;
  if (userId === undefined || idempotencyKey === undefined) return;
  await tx.query(
    `INSERT INTO ai.idempotency_keys (user_id, key, task_id, name, payload) VALUES ($1, $2, $3, $4, $5)`,
    [userId, idempotencyKey, taskId, name, payload],
  );
}

/** The newest finished task of this key, if it had the same input: an older one would answer with what is outdated. */
async function findFinished(tx: Queryable, request: AcceptRequest): Promise<string | undefined> {
  if (request.dedupeKey === undefined || request.inputHash === undefined) return undefined;
  const { rows } = await tx.query<{ id: string; input_hash: string | null }>(
    `SELECT id, input_hash FROM ai.tasks
     WHERE dedupe_key = $1 AND status = 'done' AND finished_at IS NOT NULL
     ORDER BY finished_at DESC LIMIT 1`,
    [request.dedupeKey],
  );
  const newest = rows[0];
  return newest?.input_hash === request.inputHash ? newest.id : undefined;
}

export async function findTask(db: Queryable, id: string): Promise<TaskRow | undefined> {
  const { rows } = await db.query<TaskRow>(`SELECT ${COLUMNS} FROM ai.tasks WHERE id = $1`, [id]);
  return rows[0];
}

/** Which of these ids are finished: what a process that waits for many asks once. */
export async function findFinishedIds(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT id FROM ai.tasks WHERE id = ANY($1) AND finished_at IS NOT NULL',
    [ids],
  );
  return rows.map((row) => row.id);
}
