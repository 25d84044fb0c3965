/**
 * `ai.events_outbox`: behaviour events wait here until ClickHouse has them.
 *
 * Several may send at once. One that is killed between the insert and the note leaves a batch that is sent again, and
 * ClickHouse merges what it has twice, as every column is the same.
 */
import { isRowRefused, type Clickhouse } from '../stores/clickhouse.ts';
import type { Queryable } from '../stores/postgres.ts';

/** Times are ISO 8601; what an event has not is left out. */
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

/** How long a batch may be on its way until another sends it too, in seconds: longer than any request to ClickHouse. */
const TAKEN_SECONDS = 30;

/** How long sent events are kept, in hours: longer than an event may be late, so that each repeat meets the first. */
const KEPT_HOURS = 49;

/** Stores events of a user; those that are there already stay as they are. @returns how many are new. */
export async function storeEvents(
  db: Queryable,
  userId: string,
  events: readonly BehaviourEvent[],
): Promise<number> {
  const { rowCount } = await db.query(
    `INSERT INTO ai.events_outbox (user_id, event_id, event_type, entity_type, entity_id, page, duration_ms, value,
       match_reason, occurred_at)
     SELECT $1, event_id, event_type, entity_type, entity_id, page, duration_ms, value, match_reason, occurred_at
     FROM json_to_recordset($2) AS event(event_id uuid, event_type text, entity_type text, entity_id text, page text,
       duration_ms integer, value double precision, match_reason text, occurred_at timestamptz)
     ORDER BY event_id
     ON CONFLICT DO NOTHING`,
    [userId, JSON.stringify(events)],
  );
  return rowCount ?? 0;
}

/** As ClickHouse takes it: times in UTC, to the millisecond. */
interface Row extends BehaviourEvent {
  user_id: string;
  received_at: string;
}

const ISO = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export interface Forwarded {
  /** Events taken out of the line: sent, or put aside. */
  events: number;
  /** Those of them that ClickHouse refuses. They keep what it says, and wait for somebody to look. */
  refused: number;
}

/**
 * Sends the oldest events that nobody is sending, as one batch.
 * @throws when ClickHouse did not take them: they are sent again.
 */
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
       ${ISO('occurred_at')} AS occurred_at, ${ISO('received_at')} AS received_at`,
    [limit],
  );
  if (rows.length === 0) return { events: 0, refused: 0 };
  let refusals: Refusal[];
  try {
    refusals = await send(clickhouse, rows);
  } catch (error) {
    // Where this fails too, they are taken again later.
    await note(db, 'taken_at = NULL', rows).catch(() => undefined);
    throw error;
  }
  await note(db, 'refusal = key.refusal', refusals);
  await note(db, 'sent_at = now()', rows);
  return { events: rows.length, refused: refusals.length };
}

type Key = Pick<Row, 'user_id' | 'event_id'>;
type Refusal = Key & { refusal: string };

/** Changes rows of which nothing final has been noted. */
async function note(db: Queryable, change: string, keys: readonly Key[]): Promise<void> {
  if (keys.length === 0) return;
  await db.query(
    `UPDATE ai.events_outbox o SET ${change}
     FROM json_to_recordset($1) AS key(user_id text, event_id uuid, refusal text)
     WHERE o.user_id = key.user_id AND o.event_id = key.event_id AND o.sent_at IS NULL AND o.refusal IS NULL`,
    [JSON.stringify(keys, ['user_id', 'event_id', 'refusal'])],
  );
}

/** Sends rows; where one of them is refused, the halves by themselves. @returns the rows that are refused alone. */
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
  /** Events to be sent, counted up to a bound. */
  events: number;
  /** How long the oldest of them has waited, in milliseconds. */
  ageMs: number;
}

/** @param most what more are counted as. */
export async function measureOutbox(db: Queryable, most: number): Promise<OutboxSize> {
  const { rows } = await db.query<OutboxSize & Record<string, number>>(
    `SELECT count(*)::int AS events,
       coalesce(extract(epoch FROM now() - min(received_at)) * 1000, 0)::float8 AS "ageMs"
     FROM (SELECT received_at FROM ai.events_outbox WHERE sent_at IS NULL AND refusal IS NULL ORDER BY received_at LIMIT $1) unsent`,
    [most],
  );
  return rows[0]!;
}

/** Deletes sent events that no repeat can meet any more, the oldest first. @returns how many. */
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
