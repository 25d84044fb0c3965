/** ClickHouse table of behaviour events. */
import type { Clickhouse } from '../stores/clickhouse.ts';

/**
 * Repeats of an event share the sorting key and collapse in the background into the one received last, so reads use FINAL. Columns
 * that do not apply to an event are null. `owner_id` is the owner of the practice when the event was sent, null if there is none.
 */
const USER_EVENTS = `
  CREATE TABLE IF NOT EXISTS daodao.user_events (
    event_id UUID,
    user_id String,
    event_type LowCardinality(String),
    entity_type LowCardinality(String),
    entity_id String,
    page Nullable(String),
    duration_ms Nullable(UInt32),
    value Nullable(Float64),
    match_reason LowCardinality(Nullable(String)),
    owner_id Nullable(String),
    occurred_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC')
  )
  ENGINE = ReplacingMergeTree(received_at)
  PARTITION BY toYYYYMM(occurred_at)
  ORDER BY (user_id, event_type, occurred_at, event_id)
  TTL toDateTime(occurred_at) + INTERVAL 180 DAY`;

/** For tables that an earlier release created. */
const ADD_OWNER =
  'ALTER TABLE daodao.user_events ADD COLUMN IF NOT EXISTS owner_id Nullable(String) AFTER match_reason';

/** Creates the database and its tables if missing. Idempotent. */
export async function prepareClickhouse(client: Clickhouse): Promise<void> {
  await client.command({ query: 'CREATE DATABASE IF NOT EXISTS daodao' });
  await client.command({ query: USER_EVENTS });
  await client.command({ query: ADD_OWNER });
}
