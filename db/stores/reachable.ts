/** Checks at startup that every configured store answers: a wrong URL is reported within seconds, with its variable. */
import type { ResolvedConfig } from '../../base/config.ts';
import { decoded } from './probe.ts';
import type { Store } from './store.ts';
import { STORES } from './stores.ts';

/** Longest wait for a store, in milliseconds; the checks run in parallel. */
const DEADLINE_MS = 5000;

/** A store or the language model. */
type Check = Pick<
  Store,
  'engine' | 'title' | 'variable' | 'urlOf' | 'defaultPort' | 'secretsOf' | 'probe'
>;

export class StoresUnreachableError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(['Not every store can be used:', ...problems].join('\n  - '));
    this.name = 'StoresUnreachableError';
    this.problems = problems;
  }
}

/**
 * Checks every configured store in parallel.
 * @param embedded names of embedded engines, which are known to answer.
 * @param deadlineMs longest wait for one store.
 * @throws {StoresUnreachableError} with the variable, address and reason of each store that cannot be used.
 */
export async function checkStores(
  config: ResolvedConfig,
  embedded: readonly string[],
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const asked = STORES.filter(({ engine }) => !embedded.includes(engine));
  const problems = await Promise.all(asked.map((store) => problemOf(store, config, deadlineMs)));
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new StoresUnreachableError(found);
}

/** Checks a language model that is not embedded; an unavailable one does not prevent the start. @returns the problem, if any. */
export async function checkModel(
  config: ResolvedConfig,
  embedded: readonly string[],
): Promise<string | undefined> {
  return embedded.includes(MODEL.engine) ? undefined : problemOf(MODEL, config, DEADLINE_MS);
}

const MODEL: Check = {
  engine: 'coach',
  title: 'The language model',
  variable: 'OPENAI_BASE_URL',
  urlOf: ({ openaiBaseUrl }) => openaiBaseUrl,
  defaultPort: ({ protocol }) => (protocol === 'https:' ? '443' : '80'),
  secretsOf: ({ openaiApiKey }) => [openaiApiKey],
  /** Any answer but a refused key will do: an unavailable model delays feedback and loses none. */
  async probe({ openaiBaseUrl, openaiApiKey }, signal) {
    const url = new URL(openaiBaseUrl);
    const target = new URL(`${url.pathname.replace(/\/$/, '')}/models`, url.origin);
    const headers = { authorization: `Bearer ${openaiApiKey}` };
    const response = await fetch(target, { headers, signal });
    await response.arrayBuffer();
    if (response.status === 401 || response.status === 403) {
      throw new Error(`HTTP ${response.status} (OPENAI_API_KEY is refused)`);
    }
  },
};

async function problemOf(
  { title, variable, urlOf, defaultPort, secretsOf, probe }: Check,
  config: ResolvedConfig,
  deadlineMs: number,
): Promise<string | undefined> {
  const url = new URL(urlOf(config));
  const deadline = AbortSignal.timeout(deadlineMs);
  const silence = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('the deadline has passed')));
  });
  try {
    await Promise.race([probe(config, deadline), silence]);
    return undefined;
  } catch (error) {
    const tried = `${url.hostname}:${url.port || defaultPort(url)}`;
    const reason = deadline.aborted
      ? `no answer within ${deadlineMs / 1000} s`
      : withoutSecrets(reasonOf(error), [
          url.password,
          decoded(url.password),
          ...(secretsOf?.(config) ?? []),
        ]);
    return `${title} (${variable}) at ${tried}: ${reason}`;
  }
}

const MEANINGS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset; is this the right port?',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer',
  HPE_INVALID_CONSTANT: 'the server there does not speak HTTP',
  // `fetch` blocks the ports of other protocols with this message, without a code.
  'bad port': 'HTTP clients refuse to use this port',
};

/** The innermost cause. Drivers wrap it, and a host with two addresses yields an error for each. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const word = code || error.message;
  const meaning = MEANINGS[word];
  return meaning === undefined ? error.message : `${meaning} (${word})`;
}

function withoutSecrets(reason: string, secrets: readonly (string | undefined)[]): string {
  return secrets
    .filter((secret) => secret !== undefined && secret !== '')
    .reduce((text: string, secret) => text.replaceAll(secret!, '***'), reason);
}
