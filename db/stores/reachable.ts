/**
 * Whether every configured store answers, asked once at the start: a wrong URL is told in seconds, with its variable.
 */
import type { ResolvedConfig } from '../../base/config.ts';
import { askClickhouse, askModel, askPostgres, askQdrant, askRedis, decoded } from './probes.ts';

/** Longest wait for one store, in milliseconds; they are asked in parallel. */
const DEADLINE_MS = 5000;

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
 * Asks every store that has a URL, in parallel.
 * @param embedded names of the embedded engines, which are known to answer.
 * @param deadlineMs longest wait for one of them.
 * @throws {StoresUnreachableError} naming each store that cannot be used: its variable, what was tried, the reason.
 */
export async function checkStores(
  config: ResolvedConfig,
  embedded: readonly string[],
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const checks = allChecks(config).filter(({ engine }) => !embedded.includes(engine));
  const problems = await Promise.all(checks.map((check) => problemOf(check, deadlineMs)));
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new StoresUnreachableError(found);
}

/**
 * Asks a language model that is not embedded. Its being away is no reason not to start.
 * @returns what is wrong with it, in the words of `checkStores`.
 */
export async function checkModel(
  { openaiBaseUrl, openaiApiKey }: ResolvedConfig,
  embedded: readonly string[],
): Promise<string | undefined> {
  if (embedded.includes('coach')) return undefined;
  const url = new URL(openaiBaseUrl);
  const check: Check = {
    engine: 'coach',
    store: 'The language model',
    variable: 'OPENAI_BASE_URL',
    url,
    defaultPort: url.protocol === 'https:' ? '443' : '80',
    secrets: [openaiApiKey],
    ask: (signal) => askModel(url, openaiApiKey, signal),
  };
  return problemOf(check, DEADLINE_MS);
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

async function problemOf(check: Check, deadlineMs: number): Promise<string | undefined> {
  const { store, variable, url, defaultPort, ask } = check;
  const deadline = AbortSignal.timeout(deadlineMs);
  const silence = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('the deadline has passed')));
  });
  try {
    await Promise.race([ask(deadline), silence]);
    return undefined;
  } catch (error) {
    const tried = `${url.hostname}:${url.port || defaultPort}`;
    const reason = deadline.aborted
      ? `no answer within ${deadlineMs / 1000} s`
      : withoutSecrets(reasonOf(error), check);
    return `${store} (${variable}) at ${tried}: ${reason}`;
  }
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
