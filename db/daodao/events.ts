/**
 * `ai.events_outbox`: behaviour events waiting for ClickHouse. Senders may run concurrently. A sender killed between the insert and
 * the update leaves a batch that is sent again; ClickHouse collapses the repeats, whose columns are all equal.
 */
import { isRowRefused, type Clickhouse } from '../stores/clickhouse.ts';
import { UUID } from './behaviour.ts';
import { AppError } from '../../base/errors.ts';
import type { Queryable } from '../stores/postgres.ts';

/** Times are ISO 8601; fields that do not apply are omitted. */
export interface BehaviourEvent {
  event_id: string;
  event_type: string;
  entity_type: string;
  entity_id: string;
  page?: string | undefined;
  duration_ms?: number | undefined;
  value?: number | undefined;
  match_reason?: string | undefined;
  occurred_at: string;
}

/** How long a sender may hold a batch before another takes it over, in seconds: longer than any ClickHouse request. */
const TAKEN_SECONDS = 30;

/** Retention of sent events, in hours: longer than an event may be late, so that every repeat finds the original. */
const KEPT_HOURS = 49;

/** Sent in seconds with a refusal: a person's events leave after 49 hours, some every hour. */
const RETRY_AFTER_SECONDS = 3600;

/**
 * Stores a user's events, ignoring repeats, all of them or none.
 * @param most events of the user that may be held, sent ones included; concurrent calls may exceed it by what they store. Default: no
 * limit.
 * @returns the number of new ones.
 * @throws {AppError} `QUOTA_EXCEEDED`
 */
export async function storeEvents(
  db: Queryable,
  userId: string,
  events: readonly BehaviourEvent[],
  most = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  const { rows } = await db.query<{ stored: number; refused: boolean }>(
    `WITH held AS (
       SELECT count(*) + $4::int > $3::bigint AS refused FROM (SELECT FROM ai.events_outbox WHERE user_id = $1 LIMIT $3::bigint) own),
     stored AS (
       INSERT INTO ai.events_outbox (user_id, event_id, event_type, entity_type, entity_id, page, duration_ms, value,
         match_reason, occurred_at)
       SELECT $1, event_id, event_type, entity_type, entity_id, page, duration_ms, value, match_reason, occurred_at
       FROM json_to_recordset($2) AS event(event_id uuid, event_type text, entity_type text, entity_id text, page text,
         duration_ms integer, value double precision, match_reason text, occurred_at timestamptz)
       WHERE NOT (SELECT refused FROM held)
       ORDER BY event_id
       ON CONFLICT DO NOTHING RETURNING 1)
     SELECT refused, (SELECT count(*)::int FROM stored) AS stored FROM held`,
    [userId, JSON.stringify(events), most, events.length],
  );
  const { stored, refused } = rows[0]!;
  if (!refused) return stored;
  throw new AppError('QUOTA_EXCEEDED', {
    details: { quota: 'events', limit: most },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** A row for ClickHouse: times in UTC with milliseconds. */
interface Row extends BehaviourEvent {
  user_id: string;
  /** Null unless the event is about a practice that exists. */
  owner_id: string | null;
  received_at: string;
}

const ISO = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Who owns the practice of the event, so that ClickHouse can tell apart practices that do not exist and those of the user. */
const OWNER = `(SELECT u.external_id FROM practices p JOIN users u ON u.id = p.user_id
  WHERE p.external_id = CASE WHEN o.entity_type = 'practice' AND o.entity_id ~ '${UUID}' THEN o.entity_id::uuid END)`;

interface Forwarded {
  /** Events settled by this batch: sent or refused. */
  events: number;
  /** Events that ClickHouse rejects. They keep its message until an operator looks at them. */
  refused: number;
}

/** Sends the oldest unclaimed events in one batch. @throws when ClickHouse did not accept it; the events are sent again. */
export async function forwardEvents(
  db: Queryable,
  clickhouse: Clickhouse,
  limit: number,
): Promise<Forwarded> {
  const { rows } = await db.query<Row & Record<string, unknown>>(
    `UPDATE ai.events_outbox o SET taken_at = now()
     FROM (SELECT user_id, event_id FROM ai.events_outbox
           WHERE sent_at IS NULL AND refusal IS NULL
             AND (taken_at IS NULL OR taken_at < now() - interval '${TAKEN_SECONDS} seconds')
           ORDER BY received_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
     WHERE o.user_id = due.user_id AND o.event_id = due.event_id
     RETURNING o.event_id, o.user_id, event_type, entity_type, entity_id, page, duration_ms, value, match_reason,
       ${OWNER} AS owner_id, ${ISO('occurred_at')} AS occurred_at, ${ISO('received_at')} AS received_at`,
    [limit],
  );
  if (rows.length === 0) return { events: 0, refused: 0 };
  let refusals: Refusal[];
  try {
    refusals = await send(clickhouse, rows);
  } catch (error) {
    // If this also fails, the claim times out.
    await note(db, 'taken_at = NULL', rows).catch(() => undefined);
    throw error;
  }
  await note(db, 'refusal = key.refusal', refusals);
  await note(db, 'sent_at = now()', rows);
  return { events: rows.length, refused: refusals.length };
}

type Key = Pick<Row, 'user_id' | 'event_id'>;
type Refusal = Key & { refusal: string };

/** Updates events that are neither sent nor refused. */
async function note(db: Queryable, change: string, keys: readonly Key[]): Promise<void> {
  if (keys.length === 0) return;
  await db.query(
    `UPDATE ai.events_outbox o SET ${change}
     FROM json_to_recordset($1) AS key(user_id text, event_id uuid, refusal text)
     WHERE o.user_id = key.user_id AND o.event_id = key.event_id AND o.sent_at IS NULL AND o.refusal IS NULL`,
    [JSON.stringify(keys, ['user_id', 'event_id', 'refusal'])],
  );
}

/** Inserts rows, bisecting when ClickHouse rejects one. @returns the rejected rows. */
async function send(clickhouse: Clickhouse, rows: readonly Row[]): Promise<Refusal[]> {
  try {
    await clickhouse.insert({ table: 'daodao.user_events', values: rows, format: 'JSONEachRow' });
    return [];
  } catch (error) {
    if (!isRowRefused(error)) throw error;
    const [{ user_id, event_id }] = rows as [Row];
    if (rows.length === 1) return [{ user_id, event_id, refusal: error.message }];
    const half = Math.ceil(rows.length / 2);
    return [
      ...(await send(clickhouse, rows.slice(0, half))),
      ...(await send(clickhouse, rows.slice(half))),
    ];
  }
}

export interface OutboxSize {
  /** Unsent events, counted up to a limit. */
  events: number;
  /** Age of the oldest of them, in milliseconds. */
  ageMs: number;
}

/** @param most upper limit of the count. */
export async function measureOutbox(db: Queryable, most: number): Promise<OutboxSize> {
  const { rows } = await db.query<OutboxSize & Record<string, number>>(
    `SELECT count(*)::int AS events,
       coalesce(extract(epoch FROM now() - min(received_at)) * 1000, 0)::float8 AS "ageMs"
     FROM (SELECT received_at FROM ai.events_outbox WHERE sent_at IS NULL AND refusal IS NULL ORDER BY received_at LIMIT $1) unsent`,
    [most],
  );
  return rows[0]!;
}

/** Deletes sent events past their retention, oldest first. @returns the number deleted. */
export async function pruneEvents(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM ai.events_outbox WHERE (user_id, event_id) IN (
       SELECT user_id, event_id FROM ai.events_outbox
       WHERE sent_at IS NOT NULL AND received_at < now() - interval '${KEPT_HOURS} hours'
       ORDER BY received_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
