/** Accepts many requests at once, if only their ids can conflict. */
import { findSameId } from './accept.ts';
import type { Accepted, AcceptRequest } from './request.ts';
import type { Queryable } from '../stores/postgres.ts';
import { DELAY_MS } from './rows.ts';

/** Whether only the id can conflict, and nothing is counted, so that the request can be stored in bulk. */
export function isPlain({ dedupeKey, idempotencyKey, quota }: AcceptRequest): boolean {
  return dedupeKey === undefined && idempotencyKey === undefined && quota === undefined;
}

/**
 * Stores plain requests in one statement. Pass them in id order.
 * @throws {AppError} `TASK_ID_TAKEN` when an id belongs to a different request; the caller must roll back.
 */
export async function acceptPlain(
  tx: Queryable,
  requests: readonly AcceptRequest[],
): Promise<Accepted[]> {
  const of = <T>(read: (request: AcceptRequest) => T) => requests.map(read);
  const { rows } = await tx.query<{ id: string; delay_ms: number }>(
    `INSERT INTO ai.tasks AS t (id, name, queue, priority, payload, user_id, subject, input_hash, options, run_at, expires_at)
     SELECT id, name, queue, priority, payload::json, user_id, subject, input_hash, options::json,
       coalesce(eta, now() + delay_ms * interval '1 millisecond'), now() + expires_ms * interval '1 millisecond'
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::timestamptz[], $11::float8[], $12::float8[])
       AS r (id, name, queue, priority, payload, user_id, subject, input_hash, options, eta, delay_ms, expires_ms)
     ON CONFLICT (id) DO NOTHING
     RETURNING id, ${DELAY_MS} AS delay_ms`,
    [
      of(({ id }) => id),
      of(({ name }) => name),
      of(({ queue }) => queue),
      of(({ priority }) => priority),
      of(({ payload }) => payload),
      of(({ userId }) => userId),
      of(({ subject }) => subject),
      of(({ inputHash }) => inputHash),
      of(({ headers }) => JSON.stringify({ headers })),
      of(({ eta }) => eta),
      of(({ delayMs }) => delayMs),
      of(({ expiresMs }) => expiresMs),
    ],
  );
  const delays = new Map(rows.map((row) => [row.id, row.delay_ms]));
  const accepted: Accepted[] = [];
  for (const request of requests) {
    const { id } = request;
    const delayMs = delays.get(id);
    // If an id occurs twice in one call, the first was stored.
    delays.delete(id);
    const repeated = delayMs === undefined ? await findSameId(tx, request) : undefined;
    accepted.push(repeated ?? { id, status: 'queued', outcome: 'created', delayMs: delayMs ?? 0 });
  }
  return accepted;
}
