/**
 * Accepts requests into `ai.tasks`, idempotently. The functions in Postgres decide (`db/migrations/ai/015_accept.sql` to
 * `017_unrelated_requests.sql`), so that each of these is one round trip.
 */
import { AppError, type ErrorCode } from '../../base/errors.ts';
import type { Queryable, Row } from '../stores/postgres.ts';
import type { Accepted, AcceptRequest } from './request.ts';
import type { TaskStatus } from './rows.ts';

/**
 * Stores a request, or finds the task that answers it, in this order: same Idempotency-Key; same id; an unfinished row with the
 * same dedupe key; a finished row of that key within its period; the newest finished row of that key, if its input is the same.
 * Waits for other transactions that decide about the same.
 * @param db a pool, or the caller's transaction, which may go on after an `AppError`.
 * @throws {AppError} `IDEMPOTENCY_KEY_REUSED` or `TASK_ID_TAKEN` when the key or the id belongs to a different request;
 * `QUOTA_EXCEEDED` when a new row would be one too many.
 */
export async function acceptTask(db: Queryable, request: AcceptRequest): Promise<Accepted> {
  const { rows } = await db.query<Answer>(
    'SELECT * FROM ai.accept_request(json_populate_record(NULL::ai.task_request, $1), true)',
    [JSON.stringify(toRow(request, 0))],
  );
  return read(rows[0]!, request);
}

/**
 * Accepts requests of different callers, each as `acceptTask` does and none affected by another.
 * @returns undefined for a request that would have to wait, or whose id is there: accept it alone.
 */
export async function acceptTogether(
  db: Queryable,
  requests: readonly AcceptRequest[],
): Promise<PromiseSettledResult<Accepted | undefined>[]> {
  const { rows } = await db.query<Answer & { nth: number }>(
    'SELECT nth, (answer).* FROM ai.accept_requests($1)',
    [JSON.stringify(requests.map(toRow))],
  );
  const answers = new Map(rows.map((row) => [row.nth, row]));
  return requests.map((request, nth) => {
    const answer = answers.get(nth);
    try {
      return { status: 'fulfilled', value: answer && read(answer, request) };
    } catch (reason) {
      return { status: 'rejected', reason };
    }
  });
}

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
  const { rows } = await tx.query<{ id: string; delay_ms: number }>(
    `SELECT * FROM ai.insert_requests(
       ARRAY(SELECT r FROM json_populate_recordset(NULL::ai.task_request, $1) AS r), false)`,
    [JSON.stringify(requests.map(toRow))],
  );
  const delays = new Map(rows.map((row) => [row.id, row.delay_ms]));
  const accepted: Accepted[] = [];
  for (const request of requests) {
    const { id } = request;
    const delayMs = delays.get(id);
    // Of requests with the same id, the first is stored.
    delays.delete(id);
    if (delayMs === undefined) accepted.push(await acceptTask(tx, request));
    else accepted.push({ id, status: 'queued', outcome: 'created', delayMs });
  }
  return accepted;
}

/** `ai.task_request` */
export function toRow(request: AcceptRequest, nth: number) {
  const { headers, slot, debounceMs, quota } = request;
  return {
    nth,
    id: request.id,
    is_chosen_id: request.isChosenId,
    name: request.name,
    queue: request.queue,
    priority: request.priority,
    payload: request.payload,
    options: { headers, slot },
    eta: request.eta,
    delay_ms: request.delayMs,
    expires_ms: request.expiresMs,
    user_id: request.userId,
    subject: request.subject,
    dedupe_key: request.dedupeKey,
    debounce_ms: debounceMs,
    max_wait_ms: request.maxWaitMs,
    trails: request.trailing ?? debounceMs !== undefined,
    unique_for_ms: request.uniqueForMs,
    idempotency_key: request.idempotencyKey,
    keyed_request: request.keyedRequest,
    quota_most: quota?.most,
    quota_within_ms: quota?.withinMs,
    input_hash: request.inputHash,
  };
}

/** `ai.task_answer`; without a refusal, the first three are given. */
interface Answer extends Row {
  id: string;
  status: TaskStatus;
  outcome: Accepted['outcome'];
  delay_ms: number | null;
  refusal: ErrorCode | null;
  /** Only for a quota. */
  retry_after_seconds: number | null;
}

/** @throws {AppError} the refusal. */
function read(answer: Answer, { name, quota }: AcceptRequest): Accepted {
  const { id, status, outcome, delay_ms: delayMs, refusal, retry_after_seconds: seconds } = answer;
  if (refusal !== null) {
    throw seconds === null
      ? new AppError(refusal)
      : new AppError(refusal, {
          details: { quota: name, limit: quota?.most },
          retryAfterSeconds: seconds,
        });
  }
  return delayMs === null ? { id, status, outcome } : { id, status, outcome, delayMs };
}
