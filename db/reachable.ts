/**
 * Whether every configured store answers, asked once at the start: a wrong URL is told in seconds, with its variable.
 */
import { Redis } from 'ioredis';
import pg from 'pg';
import type { ResolvedConfig } from '../config.ts';

/** Longest wait for one store; they are asked in parallel. */
const DEADLINE_MS = 5000;
/** For drivers with a timer of their own, which only has to clean up after the deadline. */
const DRIVER_TIMEOUT_MS = DEADLINE_MS + 500;

interface Check {
  /** Name of the embedded engine that stands in for it. */
  engine: string;
  store: string;
  variable: string;
  url: URL;
  defaultPort: string;
  /** What must never be shown, beside the password in the URL. */
  secrets?: readonly (string | undefined)[];
  /** Throws an error whose message is the reason. */
  ask: (signal: AbortSignal) => Promise<void>;
}

/** One or more stores cannot be used. */
export class StoresUnreachableError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(['Not every store can be used:', ...problems].join('\n  - '));
    this.name = 'StoresUnreachableError';
    this.problems = problems;
  }
}

/**
 * Asks every store that has a URL, in parallel, within 5 s.
 * @param embedded names of the embedded engines, which are known to answer.
 * @throws {StoresUnreachableError} naming each store that cannot be used: its variable, what was tried, the reason.
 */
export async function checkStores(
  config: ResolvedConfig,
  embedded: readonly string[],
): Promise<void> {
  const checks = allChecks(config).filter(({ engine }) => !embedded.includes(engine));
  const problems = await Promise.all(checks.map(problemOf));
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new StoresUnreachableError(found);
}

function allChecks(config: ResolvedConfig): Check[] {
  return [
    {
      engine: 'postgres',
      store: 'Postgres',
      variable: 'DATABASE_URL',
      url: new URL(config.databaseUrl),
      defaultPort: '5432',
      ask: () => askPostgres(config.databaseUrl),
    },
    {
      engine: 'redis',
      store: 'Redis',
      variable: 'REDIS_URL',
      url: new URL(config.redisUrl),
      defaultPort: '6379',
      ask: (signal) => askRedis(config.redisUrl, signal),
    },
    {
      engine: 'clickhouse',
      store: 'ClickHouse',
      variable: 'CLICKHOUSE_URL',
      url: new URL(config.clickhouseUrl),
      defaultPort: config.clickhouseUrl.startsWith('https:') ? '443' : '80',
      ask: (signal) => askClickhouse(new URL(config.clickhouseUrl), signal),
    },
    {
      engine: 'vectors',
      store: 'Qdrant',
      variable: 'QDRANT_URL',
      url: new URL(config.qdrantUrl),
      // What its client takes when the URL has none, for https too.
      defaultPort: '6333',
      secrets: [config.qdrantApiKey],
      ask: (signal) => askQdrant(new URL(config.qdrantUrl), config.qdrantApiKey, signal),
    },
  ];
}

async function problemOf(check: Check): Promise<string | undefined> {
  const { store, variable, url, defaultPort, ask } = check;
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const silence = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('the deadline has passed')));
  });
  try {
    await Promise.race([ask(deadline), silence]);
    return undefined;
  } catch (error) {
    const tried = `${url.hostname}:${url.port || defaultPort}`;
    const reason = deadline.aborted
      ? `no answer within ${DEADLINE_MS / 1000} s`
      : withoutSecrets(reasonOf(error), check);
    return `${store} (${variable}) at ${tried}: ${reason}`;
  }
}

async function askPostgres(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
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
}

/** A queue needs a server that takes writes, keeps them all, and knows the commands of Redis 7. */
async function askRedis(url: string, signal: AbortSignal): Promise<void> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: DRIVER_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // The promise only says that the connection closed; the event says why.
  let cause: unknown;
  client.on('error', (error) => (cause ??= error));
  signal.addEventListener('abort', () => client.disconnect());
  try {
    await client.connect();
    await client.ping();
    refuseUnfit(await client.info());
  } catch (error) {
    throw cause ?? error;
  } finally {
    // On a connection that never was, `disconnect` leaves a timer of 2 s behind.
    if (client.status !== 'end') client.disconnect();
  }
}

function refuseUnfit(info: string): void {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const version = field('redis_version') ?? 'unknown';
  if (Number.parseInt(version, 10) < 7)
    throw new Error(`version ${version} is too old, it must be 7 or newer`);
  const role = field('role');
  if (role !== undefined && role !== 'master')
    throw new Error(`it is a replica (role ${role}), it must be the master`);
  const policy = field('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(
      `its maxmemory-policy is ${policy}, which may evict jobs: it must be noeviction`,
    );
  }
}

async function askClickhouse(url: URL, signal: AbortSignal): Promise<void> {
  await fetchOk(new URL('/ping', url.origin), { signal });
  const headers = new Headers();
  // `fetch` refuses credentials in a URL.
  if (url.username !== '') headers.set('X-ClickHouse-User', decoded(url.username));
  if (url.password !== '') headers.set('X-ClickHouse-Key', decoded(url.password));
  await fetchOk(new URL('/', url.origin), { method: 'POST', body: 'SELECT 1', headers, signal });
}

async function askQdrant(url: URL, apiKey: string | undefined, signal: AbortSignal): Promise<void> {
  const target = new URL(`${url.pathname.replace(/\/$/, '')}/collections`, url.origin);
  if (url.port === '') target.port = '6333';
  await fetchOk(target, { headers: apiKey === undefined ? {} : { 'api-key': apiKey }, signal });
}

async function fetchOk(url: URL, init: RequestInit): Promise<void> {
  const response = await fetch(url, init);
  const body = await response.text();
  if (response.ok) return;
  const isRefused = response.status === 401 || response.status === 403;
  const meaning = isRefused ? ' (the credentials are refused)' : '';
  throw new Error(`HTTP ${response.status}${meaning}: ${body.slice(0, 200).trim()}`);
}

const MEANINGS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut, is this the right port?',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer',
  HPE_INVALID_CONSTANT: 'what answers there does not speak HTTP',
  // No code, only this message: `fetch` keeps off the ports of other protocols.
  'bad port': 'HTTP clients refuse to use this port',
};

/** The innermost cause, in words. Drivers wrap it, and a host with two addresses gives one error for each. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const word = code || error.message;
  const meaning = MEANINGS[word];
  return meaning === undefined ? error.message : `${meaning} (${word})`;
}

function withoutSecrets(reason: string, { url, secrets = [] }: Check): string {
  const hidden = [url.password, decoded(url.password), ...secrets];
  return hidden
    .filter((secret) => secret !== undefined && secret !== '')
    .reduce((text: string, secret) => text.replaceAll(secret!, '***'), reason);
}

/** A part of a URL as it was meant; as it stands if it has a stray percent sign. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
