/**
 * What each store is asked to find out whether it is the right one. Every function throws an error whose message, or
 * innermost cause, is the reason why it is not.
 */
import { Redis } from 'ioredis';
import pg from 'pg';

/** For drivers with a timer of their own, in milliseconds: longer than whoever asks is willing to wait. */
const DRIVER_TIMEOUT_MS = 5500;

export async function askPostgres(url: string): Promise<void> {
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
export async function askRedis(url: string, signal: AbortSignal): Promise<void> {
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
    // The client goes on in database 0 when the one in the URL does not exist.
    await client.select(Number(new URL(url).pathname.slice(1)) || 0);
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

/** Any web server answers something: only ClickHouse knows what 1 is. */
export async function askClickhouse(url: URL, signal: AbortSignal): Promise<void> {
  const headers = new Headers();
  // `fetch` refuses credentials in a URL.
  if (url.username !== '') headers.set('X-ClickHouse-User', decoded(url.username));
  if (url.password !== '') headers.set('X-ClickHouse-Key', decoded(url.password));
  const query = { method: 'POST', body: 'SELECT 1', headers, signal };
  const answer = await fetchOk(new URL('/', url.origin), query);
  if (answer.trim() !== '1') throw new Error('what answers there is not ClickHouse');
}

export async function askQdrant(
  url: URL,
  apiKey: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(`${url.pathname.replace(/\/$/, '')}/collections`, url.origin);
  if (url.port === '') target.port = '6333';
  const headers = new Headers(apiKey === undefined ? {} : { 'api-key': apiKey });
  const answer = await fetchOk(target, { headers, signal });
  if (!/"collections"\s*:\s*\[/.test(answer)) throw new Error('what answers there is not Qdrant');
}

/** What is not there yet may still come: a model that is away delays feedback and loses none. */
export async function askModel(baseUrl: URL, apiKey: string, signal: AbortSignal): Promise<void> {
  const target = new URL(`${baseUrl.pathname.replace(/\/$/, '')}/models`, baseUrl.origin);
  const response = await fetch(target, { headers: { authorization: `Bearer ${apiKey}` }, signal });
  await response.arrayBuffer();
  if (response.status === 401 || response.status === 403) {
    throw new Error(`HTTP ${response.status} (OPENAI_API_KEY is refused)`);
  }
}

/** @returns the body. */
async function fetchOk(url: URL, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const body = await response.text();
  if (response.ok) return body;
  const isRefused = response.status === 401 || response.status === 403;
  const meaning = isRefused ? ' (the credentials are refused)' : '';
  throw new Error(`HTTP ${response.status}${meaning}: ${body.slice(0, 200).trim()}`);
}

/** A part of a URL as it was meant; as it stands if it has a stray percent sign. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
