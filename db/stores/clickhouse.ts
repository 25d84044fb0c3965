/** ClickHouse. The first connection loads its client. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { ResolvedConfig } from '../../base/config.ts';
import { isUnreachable } from '../../base/unreachable.ts';
import { decoded, fetchOk } from './probe.ts';
import type { Store } from './store.ts';

export type Clickhouse = ClickHouseClient;

/** Limits every request: 10 s overall, 8 s for the query, 4 connections. Accepts ISO 8601 times. The caller closes the client. */
export async function connectClickhouse({
  clickhouseUrl: url,
}: Pick<ResolvedConfig, 'clickhouseUrl'>): Promise<Clickhouse> {
  const { ClickHouseLogLevel, createClient } = await import('@clickhouse/client');
  return createClient({
    url,
    application: 'daodao',
    request_timeout: 10_000,
    max_open_connections: 4,
    clickhouse_settings: { max_execution_time: 8, date_time_input_format: 'best_effort' },
    // The caller reports errors.
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/**
 * 6, 26, 27, 38, 41, 72 CANNOT_PARSE_…, 53 TYPE_MISMATCH, 69 ARGUMENT_OUT_OF_BOUND, 70 CANNOT_CONVERT_TYPE, 117 INCORRECT_DATA,
 * 349 CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN, 407 DECIMAL_OVERFLOW, 469 VIOLATED_CONSTRAINT
 */
const OF_A_ROW = /^(6|26|27|38|41|72|53|69|70|117|349|407|469)$/;

/** Whether ClickHouse rejects the data of a row, so that a retry cannot help. */
export function isRowRefused(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && OF_A_ROW.test(String(error.code));
}

/** 159 TIMEOUT_EXCEEDED, 202 TOO_MANY_SIMULTANEOUS_QUERIES, 241 MEMORY_LIMIT_EXCEEDED, 242 TABLE_IS_READ_ONLY */
const BUSY = /^(159|202|241|242)$/;

export const clickhouse: Store = {
  engine: 'clickhouse',
  title: 'ClickHouse',
  variable: 'CLICKHOUSE_URL',
  urlOf: ({ clickhouseUrl }) => clickhouseUrl,
  defaultPort: ({ protocol }) => (protocol === 'https:' ? '443' : '80'),
  isUnavailable(error) {
    if (!(error instanceof Error)) return false;
    if (isUnreachable(error) || ('code' in error && BUSY.test(String(error.code)))) return true;
    return /Timeout error|socket hang up/i.test(error.message);
  },
  /** Checks the answer, as any web server may respond. */
  async probe({ clickhouseUrl }, signal) {
    const url = new URL(clickhouseUrl);
    const headers = new Headers();
    // `fetch` rejects URLs with credentials.
    if (url.username !== '') headers.set('X-ClickHouse-User', decoded(url.username));
    if (url.password !== '') headers.set('X-ClickHouse-Key', decoded(url.password));
    const query = { method: 'POST', body: 'SELECT 1', headers, signal };
    const answer = await fetchOk(new URL('/', url.origin), query);
    if (answer.trim() !== '1') throw new Error('the server there is not ClickHouse');
  },
};
