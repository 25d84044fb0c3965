/** The decision about a request as one statement after another: what the functions in Postgres must decide, too. */
import { AppError } from '../../../../base/errors.ts';
import { findRepeated, rememberKey } from './idempotency-keys.ts';
import { transaction, type Pool, type Queryable } from '../../../../db/stores/postgres.ts';
import type { Accepted, AcceptRequest } from '../../../../db/tasks/request.ts';
import type { TaskStatus } from '../../../../db/tasks/rows.ts';

/** As `acceptTask`. Commits what a refused request has changed, as a caller's transaction may. */
export async function acceptByOracle(pool: Pool, request: AcceptRequest): Promise<Accepted> {
  const answer = await transaction(pool, (tx) =>
    acceptWithin(tx, request).catch((error: unknown) => {
      if (error instanceof AppError) return error;
      throw error;
    }),
  );
  if (answer instanceof AppError) throw answer;
  return answer;
}

async function acceptWithin(tx: Queryable, request: AcceptRequest): Promise<Accepted> {
  const repeated = (await findRepeated(tx, request)) ?? (await findSameId(tx, request));
  if (repeated !== undefined) return repeated;
  const accepted = await insertOrFind(tx, request);
  await rememberKey(tx, request, accepted.id);
  return accepted;
}

const DELAY_MS =
  'coalesce(greatest(0, ceil((extract(epoch FROM run_at) - extract(epoch FROM now())) * 1000)), 0)::float8';

interface Inserted {
  id: string;
  status: TaskStatus;
  created: boolean;
  begun: boolean;
  delay_ms: number;
}

async function insertOrFind(tx: Queryable, request: AcceptRequest): Promise<Accepted> {
  const isTrailing = trails(request);
  let row = await insert(tx, request, false);
  if (row.created && isTrailing && (await releaseInstead(tx, request, row.id))) {
    row = await insert(tx, request, false);
  }
  if (row.begun && isTrailing) {
    const { id, status, created } = await insert(tx, request, true);
    if (created) await assertQuota(tx, request, id);
    return { id, status, outcome: created ? 'trailing' : 'unfinished' };
  }
  if (!row.created) {
    const found: Accepted = { id: row.id, status: row.status, outcome: 'unfinished' };
    const isPutOff = request.debounceMs !== undefined && !row.begun;
    return isPutOff ? { ...found, delayMs: row.delay_ms } : found;
  }
  // Checked after the insert: a twin that finished earlier is visible by now, and an unfinished one would have conflicted.
  const answer = (await findRecent(tx, request)) ?? (await findFinished(tx, request));
  if (answer === undefined) {
    await assertQuota(tx, request, row.id);
    return { id: row.id, status: row.status, outcome: 'created', delayMs: row.delay_ms };
  }
  await remove(tx, row.id);
  return answer;
}

async function remove(tx: Queryable, id: string): Promise<void> {
  await tx.query('DELETE FROM ai.tasks WHERE id = $1', [id]);
}

/**
 * Removes the new row if the user has had as many as the quota allows before it. Only new rows count: joining unfinished work and
 * getting finished work cost nothing.
 * @throws {AppError} `QUOTA_EXCEEDED` with the time until the oldest of those leaves the quota.
 */
async function assertQuota(
  tx: Queryable,
  { userId, name, quota }: AcceptRequest,
  id: string,
): Promise<void> {
  if (userId === undefined || quota === undefined) return;
  // Serialises the user's new tasks of this name, so that concurrent ones count each other.
  const lock = `${userId}:${name}`;
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 3))', [lock]);
  const { rows } = await tx.query<{ seconds: number }>(
    `SELECT ceil(date_part('epoch', created_at - now()) + $4::float8 / 1000)::int AS seconds FROM ai.tasks
     WHERE user_id = $1 AND name = $2 AND created_at > now() - $4::float8 * interval '1 millisecond' AND id <> $5
     ORDER BY created_at DESC OFFSET $3::int - 1 LIMIT 1`,
    [userId, name, quota.most, quota.withinMs, id],
  );
  const oldest = rows[0];
  if (oldest === undefined) return;
  // The caller's transaction may go on.
  await remove(tx, id);
  throw new AppError('QUOTA_EXCEEDED', {
    details: { quota: name, limit: quota.most },
    retryAfterSeconds: Math.max(1, oldest.seconds),
  });
}

function trails({ debounceMs, trailing = debounceMs !== undefined }: AcceptRequest): boolean {
  return trailing;
}

/**
 * When the started task of the key has just ended and another one trails it, drops the new row and releases the trailing one, which
 * then takes the newest payload.
 */
async function releaseInstead(
  tx: Queryable,
  { dedupeKey }: AcceptRequest,
  id: string,
): Promise<boolean> {
  const waiting = 'dedupe_key = $1 AND trails AND finished_at IS NULL';
  const { rowCount } = await tx.query(
    `DELETE FROM ai.tasks WHERE id = $2 AND EXISTS (SELECT FROM ai.tasks WHERE ${waiting})`,
    [dedupeKey, id],
  );
  if (rowCount !== 1) return false;
  const release = `UPDATE ai.tasks SET trails = false, check_at = now() WHERE ${waiting}`;
  await tx.query(release, [dedupeKey]);
  return true;
}

/** Inserts a row, or returns the unfinished one of its dedupe key. @param isTrailing waits for the key's started task to end. */
async function insert(
  tx: Queryable,
  request: AcceptRequest,
  isTrailing: boolean,
): Promise<Inserted> {
  const { rows } = await tx.query<Inserted>(
    `INSERT INTO ai.tasks AS t (id, name, queue, priority, payload, user_id, subject, dedupe_key, input_hash, options,
       run_at, expires_at, check_at, trails)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
       coalesce($11::timestamptz, now() + coalesce($12::float8, $13::float8) * interval '1 millisecond'), now() + $15::float8 * interval '1 millisecond',
       CASE WHEN $16::boolean THEN 'infinity' ELSE now() + interval '2 seconds' END, $16::boolean)
     ON CONFLICT (dedupe_key) WHERE finished_at IS NULL AND ${isTrailing ? '' : 'NOT'} trails DO UPDATE SET
       requested_at = now(),
       run_at = CASE WHEN $13::float8 IS NOT NULL AND t.started_at IS NULL THEN least(
         now() + $13::float8 * interval '1 millisecond', t.created_at + $14::float8 * interval '1 millisecond')
         ELSE t.run_at END,
       expires_at = CASE WHEN ($13::float8 IS NOT NULL OR $17::boolean) AND t.started_at IS NULL
         THEN excluded.expires_at ELSE t.expires_at END,
       payload = CASE WHEN $17::boolean AND t.started_at IS NULL THEN excluded.payload ELSE t.payload END,
       input_hash = CASE WHEN $17::boolean AND t.started_at IS NULL THEN excluded.input_hash ELSE t.input_hash END
     RETURNING id, status, xmax = 0 AS created, started_at IS NOT NULL AS begun,
       ${DELAY_MS} AS delay_ms`,
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
      JSON.stringify({ headers: request.headers, slot: request.slot }),
      request.eta,
      request.delayMs,
      request.debounceMs,
      request.maxWaitMs,
      request.expiresMs,
      isTrailing,
      trails(request),
    ],
  );
  return rows[0]!;
}

async function findSameId(tx: Queryable, request: AcceptRequest): Promise<Accepted | undefined> {
  const { id, isChosenId = false, name, payload, dedupeKey } = request;
  if (!isChosenId) return undefined;
  // Serialises requests for the same id.
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [id]);
  const { rows } = await tx.query<{ status: TaskStatus; same: boolean }>(
    // A later request for the key may have replaced the payload.
    `SELECT status, name = $2 AND (payload::text = $3 OR coalesce(dedupe_key = $4, false)) AS same
     FROM ai.tasks WHERE id = $1`,
    [id, name, payload, dedupeKey],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (!row.same) throw new AppError('TASK_ID_TAKEN');
  return { id, status: row.status, outcome: 'repeated' };
}

/** The finished task of a key that is unique for a period, accepted within it. */
async function findRecent(
  tx: Queryable,
  { dedupeKey, uniqueForMs }: AcceptRequest,
): Promise<Accepted | undefined> {
  if (dedupeKey === undefined || uniqueForMs === undefined) return undefined;
  const { rows } = await tx.query<{ id: string; status: TaskStatus }>(
    // A task that was accepted within the period also finished within it, which the index knows.
    `SELECT id, status FROM ai.tasks
     WHERE dedupe_key = $1 AND finished_at > now() - $2 * interval '1 millisecond'
       AND created_at > now() - $2 * interval '1 millisecond'
     ORDER BY finished_at DESC LIMIT 1`,
    [dedupeKey, uniqueForMs],
  );
  return rows[0] && { ...rows[0], outcome: 'repeated' };
}

/** Considers only the newest finished task of the key: an older one would give an outdated result. */
async function findFinished(tx: Queryable, request: AcceptRequest): Promise<Accepted | undefined> {
  if (request.dedupeKey === undefined || request.inputHash === undefined) return undefined;
  const { rows } = await tx.query<{ id: string; input_hash: string | null }>(
    `SELECT id, input_hash FROM ai.tasks
     WHERE dedupe_key = $1 AND status = 'done' AND finished_at IS NOT NULL
     ORDER BY finished_at DESC LIMIT 1`,
    [request.dedupeKey],
  );
  const newest = rows[0];
  if (newest?.input_hash !== request.inputHash) return undefined;
  return { id: newest.id, status: 'done', outcome: 'finished' };
}
