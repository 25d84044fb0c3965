/**
 * ClickHouse: the client, and the table of behaviour events.
 */
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import type { ResolvedConfig } from '../../base/config.ts';

export type Clickhouse = ClickHouseClient;

/**
 * A client on which nothing hangs: 10 s for a request, 8 s of that for the query, 4 connections.
 * Times are written as ISO 8601. The caller closes it.
 */
export function createClickhouse(config: Pick<ResolvedConfig, 'clickhouseUrl'>): Clickhouse {
  return createClient({
    url: config.clickhouseUrl,
    application: 'daodao',
    request_timeout: 10_000,
    max_open_connections: 4,
    clickhouse_settings: { max_execution_time: 8, date_time_input_format: 'best_effort' },
    // Errors reach the caller, who reports them once.
    log: { level: ClickHouseLogLevel.OFF },
  });
}

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
