/**
 * Versioned values in Redis: a write with an older version than the one there is ignored, so that writers who were
 * overtaken do no harm. Versions come from Postgres.
 *
 * `<prefix>:cache:<key>` holds the version, a newline and JSON; always with a TTL.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';

/** Keeps what is there when it is newer. KEYS[1]; ARGV: version, value, TTL in seconds. */
const SET_IF_NEWER = `
local held = redis.call('GET', KEYS[1])
local version = held and tonumber(string.match(held, '^(%d+)\\n'))
if version and version > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. '\\n' .. ARGV[2], 'EX', ARGV[3])
return 1`;

const OPTIONS = {
  lazyConnect: true,
  connectTimeout: 2000,
  commandTimeout: 2000,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 1000),
  // A failed-over master answers READONLY until the connection is made anew.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
} satisfies RedisOptions;

export class Cache {
  #redis: Redis | Cluster;
  readonly #url: string;
  readonly #prefix: string;

  constructor(redisUrl: string, prefix: string) {
    this.#url = redisUrl;
    this.#prefix = prefix;
    this.#redis = quiet(new Redis(redisUrl, { ...OPTIONS, connectionName: `${prefix}:cache` }));
  }

  /**
   * Stores a value unless a newer version is there.
   * @returns the error with which Redis refuses it for good, as it does to a user without the right; undefined otherwise.
   * @throws when Redis is unavailable.
   */
  async set(
    key: string,
    version: number,
    value: unknown,
    ttlSeconds: number,
  ): Promise<Error | undefined> {
    const text = JSON.stringify(value);
    try {
      await this.#send((redis) =>
        redis.eval(SET_IF_NEWER, 1, this.#key(key), version, text, ttlSeconds),
      );
      return undefined;
    } catch (error) {
      if (error instanceof Error && !isCacheAway(error)) return error;
      throw error;
    }
  }

  async get<T>(key: string): Promise<{ version: number; value: T } | undefined> {
    const text = await this.#send((redis) => redis.get(this.#key(key)));
    if (text === null) return undefined;
    const newline = text.indexOf('\n');
    return {
      version: Number(text.slice(0, newline)),
      value: JSON.parse(text.slice(newline + 1)) as T,
    };
  }

  /** @throws when Redis does not answer. */
  async ping(): Promise<void> {
    await this.#send((redis) => redis.ping());
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** A lost answer also drops the connection: a half-open one would swallow the next command too. */
  async #send<T>(command: (redis: Redis | Cluster) => Promise<T>): Promise<T> {
    try {
      return await command(this.#redis);
    } catch (error) {
      const { message } = error as Error;
      if (message === 'Command timed out') this.#redis.disconnect(true);
      if (!message.startsWith('MOVED') || this.#redis instanceof Cluster) throw error;
    }
    this.#useCluster();
    return this.#send(command);
  }

  /** One node of a Redis Cluster was asked for the key of another. */
  #useCluster(): void {
    const { hostname, port, username, password, protocol } = new URL(this.#url);
    this.#redis.disconnect();
    this.#redis = quiet(
      new Cluster([{ host: hostname, port: Number(port || 6379) }], {
        lazyConnect: true,
        redisOptions: {
          ...OPTIONS,
          ...(username === '' ? {} : { username: decodeURIComponent(username) }),
          ...(password === '' ? {} : { password: decodeURIComponent(password) }),
          ...(protocol === 'rediss:' ? { tls: {} } : {}),
        },
      }),
    );
  }

  #key(key: string): string {
    return `${this.#prefix}:cache:${key}`;
  }
}

/** Failures reach callers through their own commands. */
function quiet<T extends Redis | Cluster>(client: T): T {
  return client.on('error', () => undefined) as T;
}

/** Whether an error of the cache means that Redis is away, so that the same call may succeed later. */
export function isCacheAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|UNBLOCKED|NOREPLICAS|OOM|MISCONF)\b|Command timed out|Connection is closed|max retries per request|Stream isn't writeable|Failed to refresh slots cache/.test(
    error.message,
  );
}
