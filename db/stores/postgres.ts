/** Postgres: pools with timeouts, and transactions. */
import pg from 'pg';
import { isInstance, messageOf, propertyOf } from '../../base/thrown.ts';
import { isUnreachable } from '../../base/unreachable.ts';
import { DRIVER_TIMEOUT_MS } from './probe.ts';
import type { Store } from './store.ts';
import { callStore } from './unavailable.ts';

/** A pool, or a client within a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(
    text: string,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

export type Pool = pg.Pool;
export type Row = pg.QueryResultRow;

export interface PoolOptions {
  /** Maximum number of connections. */
  max: number;
  /** Shown in `pg_stat_activity`. */
  name: string;
  /** Whether its sessions refuse to write; each is replaced after a minute. Default false. */
  readOnly?: boolean;
  /**
   * `custom`: a statement is planned each time; `generic`: once per session, whatever its parameters, which saves more than half of a short
   * read. Default `custom`.
   */
  plans?: 'custom' | 'generic';
  /** `transaction`: a pooler gives a server connection to each transaction, so that no session keeps anything. Default `none`. */
  pooler?: Pooler | undefined;
}

export type Pooler = 'none' | 'transaction';

/**
 * Makes the server drop a vanished client within about 11 s, even while sending, which frees the client's locks. In seconds, except
 * the last, which is in milliseconds.
 */
const SERVER_KEEPALIVE =
  '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000';
/** Limits of a session, in milliseconds. */
const LIMITS = {
  lock_timeout: 2000,
  statement_timeout: 10_000,
  idle_in_transaction_session_timeout: 5000,
};

/** Begins a transaction behind a pooler, where each brings its own limits. */
const BEGIN_LIMITED = [
  'BEGIN',
  ...Object.entries(LIMITS).map(([name, ms]) => `SET LOCAL ${name} = ${ms}`),
].join('; ');
const pooled = new WeakSet<Pool>();

/**
 * Limits every wait: 3 s to connect, 2 s for a lock, 10 s per statement, 5 s idle in a transaction. Keepalive on both sides. Behind a
 * pooler, single statements are limited by the client alone (12 s), and the server's own settings. Queries of a connection are sent
 * without waiting for the answers to those before.
 */
export function createPool(
  databaseUrl: string,
  { max, name, readOnly = false, plans = 'custom', pooler = 'none' }: PoolOptions,
): Pool {
  const isPooled = pooler === 'transaction';
  const pool = new pg.Pool({
    ...(isPooled
      ? { connectionString: databaseUrl }
      : sessionOptions(databaseUrl, readOnly, plans)),
    application_name: name,
    max,
    connectionTimeoutMillis: 3000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
    // A failover is noticed by writing. A pool that only reads replaces its connections instead, lest they stay with the old server
    // and old plans.
    maxLifetimeSeconds: readOnly ? 60 : 0,
    query_timeout: 12_000,
    pipeline: true,
  });
  // The pool or the next query handles a connection that breaks while idle or in a transaction; without listeners the error would
  // end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  if (isPooled) pooled.add(pool);
  const single = marking(pool, !isPooled);
  pool.query = (isPooled && readOnly ? readingOnly(pool) : single).query as Pool['query'];
  return pool;
}

function sessionOptions(
  databaseUrl: string,
  readOnly: boolean,
  plans: 'custom' | 'generic',
): pg.PoolConfig {
  const url = new URL(databaseUrl);
  // In the URL they would replace those below.
  // By default Postgres keeps a plan after five. Made while a table has a few rows, it reads all of it once it has grown, until the table
  // is analysed.
  const planning = `-c plan_cache_mode=force_${plans}_plan`;
  const options = [url.searchParams.get('options'), SERVER_KEEPALIVE, planning];
  url.searchParams.delete('options');
  if (readOnly) options.push('-c default_transaction_read_only=on');
  return {
    connectionString: url.href,
    options: options.filter((some) => some !== null).join(' '),
    ...LIMITS,
  };
}

/** The same queries; what they throw is marked if Postgres is unavailable. @param isKept whether the session keeps prepared statements. */
function marking(queryable: Pool | pg.PoolClient, isKept: boolean): Queryable {
  const query = queryable.query.bind(queryable) as (query: object) => Promise<never>;
  return {
    query: (text, values) => {
      const name = isKept ? nameOf(text, values) : undefined;
      return callStore(postgres, () => query({ name, text, values }));
    },
  };
}

/** Most statements that a session keeps. */
const MOST_KEPT = 500;
const names = new Map<string, string>();

/** @returns the name under which sessions keep a statement with parameters, so that it is parsed once. */
function nameOf(text: string, values: unknown[] | undefined): string | undefined {
  if (values === undefined || values.length === 0) return undefined;
  let name = names.get(text);
  if (name === undefined && names.size < MOST_KEPT) {
    name = `s${names.size}`;
    names.set(text, name);
  }
  return name;
}

/** Queries in transactions that refuse to write. */
function readingOnly(pool: Pool): Queryable {
  return {
    query: (text, values) => within(pool, 'BEGIN READ ONLY', (tx) => tx.query(text, values)),
  };
}

/** Commits when `work` resolves, rolls back when it throws. */
export async function transaction<T>(pool: Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return within(pool, pooled.has(pool) ? BEGIN_LIMITED : 'BEGIN', work);
}

async function within<T>(
  pool: Pool,
  begin: string,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  const connection = await callStore(postgres, () => pool.connect());
  const client = marking(connection, !pooled.has(pool));
  let broken: Error | undefined;
  try {
    // Travels with the first query of `work`, which fails as well if this does.
    const begun = client.query(begin);
    begun.catch(() => undefined);
    const value = await work(client);
    await begun;
    const { command } = await client.query('COMMIT');
    if (command === 'ROLLBACK') throw new Error('A statement of the transaction had failed.');
    return value;
  } catch (error) {
    if (isSpent(error)) broken = error;
    else
      await client.query('ROLLBACK').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
    throw error;
  } finally {
    connection.release(broken);
  }
}

/**
 * After a query timeout, a ROLLBACK would time out too, and closing the connection has the same effect. After a failover, a
 * connection to a server that became read-only (25006) leads to the wrong one.
 */
function isSpent(error: unknown): error is Error {
  if (!isInstance(error, Error)) return false;
  return propertyOf(error, 'message') === 'Query read timeout' || isReadOnlyError(error);
}

/** Whether a statement was refused because its session or server is read-only. */
export function isReadOnlyError(error: unknown): boolean {
  return codeOf(error) === '25006';
}

/**
 * SQLSTATE classes and codes for "unavailable or busy", as opposed to "wrong statement". Includes refused logins (28000, 28P01) and
 * a missing database (3D000), which the operator fixes, for example after a password change.
 */
const AWAY = /^(08|53|57P|58)|^(25006|25P03|28000|28P01|3D000|55P03|57014|40001|40P01)$/;

export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/** Whether Postgres is unavailable or busy, so that the same work may succeed later. */
export function isPostgresAway(error: unknown): boolean {
  if (!isInstance(error, Error)) return false;
  if (AWAY.test(codeOf(error)) || isUnreachable(error)) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable/.test(
    messageOf(error),
  );
}

function codeOf(error: unknown): string {
  const code = isInstance(error, Error) ? propertyOf(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
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
