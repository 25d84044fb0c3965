/**
 * Versioned values in Redis: a write with an older version than the one there is ignored, so that writers who were
 * overtaken do no harm. Versions come from Postgres.
 *
 * `<prefix>:cache:<key>` holds the version, a newline and JSON; always with a TTL.
 */
import { Redis } from 'ioredis';

/** Keeps what is there when it is newer. KEYS[1]; ARGV: version, value, TTL in seconds. */
const SET_IF_NEWER = `
local held = redis.call('GET', KEYS[1])
local version = held and tonumber(string.match(held, '^(%d+)\\n'))
if version and version > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. '\\n' .. ARGV[2], 'EX', ARGV[3])
return 1`;

export class Cache {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redisUrl: string, prefix: string) {
    this.#prefix = prefix;
    this.#redis = new Redis(redisUrl, {
      lazyConnect: true,
      connectionName: `${prefix}:cache`,
      connectTimeout: 2000,
      commandTimeout: 2000,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1000),
      // A failed-over master answers READONLY until the connection is made anew.
      reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
    });
    this.#redis.on('error', () => undefined);
  }

  /** Stores a value unless a newer version is there. */
  async set(key: string, version: number, value: unknown, ttlSeconds: number): Promise<void> {
    const text = JSON.stringify(value);
    await this.#send(this.#redis.eval(SET_IF_NEWER, 1, this.#key(key), version, text, ttlSeconds));
  }

  async get<T>(key: string): Promise<{ version: number; value: T } | undefined> {
    const text = await this.#send(this.#redis.get(this.#key(key)));
    if (text === null) return undefined;
    const newline = text.indexOf('\n');
    return {
      version: Number(text.slice(0, newline)),
      value: JSON.parse(text.slice(newline + 1)) as T,
    };
  }

  /** @throws when Redis does not answer. */
  async ping(): Promise<void> {
    await this.#send(this.#redis.ping());
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** A lost answer also drops the connection: a half-open one would swallow the next command too. */
  async #send<T>(command: Promise<T>): Promise<T> {
    return command.catch((error: unknown) => {
      if (error instanceof Error && error.message === 'Command timed out') {
        this.#redis.disconnect(true);
      }
      throw error;
    });
  }

  #key(key: string): string {
    return `${this.#prefix}:cache:${key}`;
  }
}

/** Whether an error of the cache means that Redis is away, so that the same call may succeed later. */
export function isCacheAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|OOM)\b|Command timed out|Connection is closed|max retries per request|Stream isn't writeable/.test(
    error.message,
  );
}
