/**
 * The table of behaviour events in ClickHouse.
 */
import type { Clickhouse } from '../stores/clickhouse.ts';

/**
 * Repeats of an event have the same sorting key, so that they collapse into the one received last. Reads say FINAL,
 * because collapsing happens in the background. `page`, `duration_ms`, `value` and `match_reason` are null when the
 * event has none.
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
    occurred_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC')
  )
  ENGINE = ReplacingMergeTree(received_at)
  PARTITION BY toYYYYMM(occurred_at)
  ORDER BY (user_id, event_type, occurred_at, event_id)
  TTL toDateTime(occurred_at) + INTERVAL 180 DAY`;

/** Creates the database and its tables where they are missing. Safe to repeat. */
export async function prepareClickhouse(client: Clickhouse): Promise<void> {
  await client.command({ query: 'CREATE DATABASE IF NOT EXISTS daodao' });
  await client.command({ query: USER_EVENTS });
}
