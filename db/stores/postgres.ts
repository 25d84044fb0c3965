/**
 * Connections to Postgres: pools with deadlines, and one way to run a transaction.
 */
import pg from 'pg';
import { isUnreachable } from '../../base/unreachable.ts';
import { DRIVER_TIMEOUT_MS } from './probe.ts';
import type { Store } from './store.ts';

/** What a query needs: a pool or a client inside a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(
    text: string,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

export type Pool = pg.Pool;
export type Row = pg.QueryResultRow;

export interface PoolOptions {
  /** Most connections at a time. */
  max: number;
  /** Shown in `pg_stat_activity`. */
  name: string;
  /** Whether its sessions refuse to write. Default false. */
  readOnly?: boolean;
}

/**
 * For the server's side of a connection: one whose client is gone without a word is given up within some 11 s, also while an
 * answer is on its way, so that it frees its locks. Times in seconds, but for the last, which is in milliseconds.
 */
const SERVER_KEEPALIVE =
  '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000';

/**
 * A pool on which nothing hangs: 3 s to connect, 2 s for a lock, 10 s for a statement,
 * 5 s for a transaction left idle, and keepalive on both sides.
 */
export function createPool(
  databaseUrl: string,
  { max, name, readOnly = false }: PoolOptions,
): Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    connectionTimeoutMillis: 3000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
    options: `${SERVER_KEEPALIVE}${readOnly ? ' -c default_transaction_read_only=on' : ''}`,
    lock_timeout: 2000,
    statement_timeout: 10_000,
    query_timeout: 12_000,
    idle_in_transaction_session_timeout: 5000,
  });
  // A connection that breaks between two queries, idle or inside a transaction, is reported by the next query or replaced
  // before it; without listeners it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export async function transaction<T>(pool: Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const value = await work(client);
    await client.query('COMMIT');
    return value;
  } catch (error) {
    if (isSpent(error)) broken = error;
    else
      await client.query('ROLLBACK').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * A connection that let a query wait in vain would do the same to a ROLLBACK; closing it has the same effect. One to a
 * server that became read-only (25006) leads to the wrong server after a failover.
 */
function isSpent(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return error.message === 'Query read timeout' || isReadOnlyError(error);
}

/** Whether a statement was refused because its session or server is read-only. */
export function isReadOnlyError(error: unknown): boolean {
  return codeOf(error) === '25006';
}

/**
 * SQLSTATE classes and codes that mean "the store is unavailable or busy", not "the statement is wrong". A login that is refused
 * (28000, 28P01) and a database that is not there (3D000) are mended by who runs the server, as after a change of the password.
 */
const AWAY = /^(08|53|57P|58)|^(25006|25P03|28000|28P01|3D000|55P03|57014|40001|40P01)$/;

/** Whether a lock was waited for as long as `lock_timeout` allows. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/** Whether an error means that Postgres is unavailable or busy, so that the same work may succeed later. */
export function isPostgresAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (AWAY.test(codeOf(error)) || isUnreachable(error)) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable/.test(
    error.message,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

export const postgres: Store = {
  engine: 'postgres',
  title: 'Postgres',
  variable: 'DATABASE_URL',
  urlOf: ({ databaseUrl }) => databaseUrl,
  defaultPort: () => '5432',
  isUnavailable: isPostgresAway,
  async probe({ databaseUrl }) {
    const client = new pg.Client({
      connectionString: databaseUrl,
      connectionTimeoutMillis: DRIVER_TIMEOUT_MS,
      query_timeout: DRIVER_TIMEOUT_MS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      void client.end().catch(() => undefined);
    }
  },
};
