/**
 * Versioned values in Redis: `<prefix>:cache:<key>` holds the version from Postgres, a newline and JSON, always with a TTL. Writes
 * older than the stored version are ignored, so overtaken writers do no harm.
 */
import { connect, isCluster, send, type Client } from '../../base/redis/connection.ts';
import { probeRedis } from '../../base/redis/probe.ts';
import { isRedisUnavailable } from '../../base/redis/unavailable.ts';
import { DRIVER_TIMEOUT_MS } from './probe.ts';
import type { Store } from './store.ts';
import { callStore } from './unavailable.ts';

/** KEYS[1]; ARGV: version, value, TTL in seconds. */
const SET_IF_NEWER = `
local held = redis.call('GET', KEYS[1])
local version = held and tonumber(string.match(held, '^(%d+)\\n'))
if version and version > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. '\\n' .. ARGV[2], 'EX', ARGV[3])
return 1`;

/** Timeout of a command, in milliseconds. */
const TIMEOUT_MS = 2000;

export class Cache {
  #redis: Client;
  readonly #url: string;
  readonly #prefix: string;

  constructor(redisUrl: string, prefix: string) {
    this.#url = redisUrl;
    this.#prefix = prefix;
    this.#redis = this.#connect();
  }

  /**
   * Stores a value unless the cache holds a newer version. @throws when Redis is unavailable.
   * @returns the error of a permanent refusal, such as missing permissions; otherwise undefined.
   */
  async set(
    key: string,
    version: number,
    value: unknown,
    ttlSeconds: number,
  ): Promise<Error | undefined> {
    const text = JSON.stringify(value);
    try {
      await this.#send((client) =>
        client.eval(SET_IF_NEWER, 1, this.#key(key), version, text, ttlSeconds),
      );
      return undefined;
    } catch (error) {
      if (error instanceof Error && !isUnavailable(error)) return error;
      throw error;
    }
  }

  async get<T>(key: string): Promise<{ version: number; value: T } | undefined> {
    const text = await this.#send<string | null>((client) => client.get(this.#key(key)));
    if (text === null) return undefined;
    const newline = text.indexOf('\n');
    return {
      version: Number(text.slice(0, newline)),
      value: JSON.parse(text.slice(newline + 1)) as T,
    };
  }

  /** @throws when Redis does not answer. */
  async ping(): Promise<void> {
    await this.#send((client) => client.ping());
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #send<T>(command: (redis: Client) => Promise<unknown>): Promise<T> {
    try {
      return await callStore(redis, () => send<T>(this.#redis, () => command(this.#redis)));
    } catch (error) {
      const isMoved = error instanceof Error && error.message.startsWith('MOVED');
      if (!isMoved || isCluster(this.#redis)) throw error;
    }
    // The server is a node of a Redis Cluster, and the key belongs to another node.
    this.#redis.disconnect();
    this.#redis = this.#connect([]);
    return this.#send(command);
  }

  /** @param cluster further nodes; undefined for a single server. */
  #connect(cluster?: []): Client {
    const name = `${this.#prefix}:cache`;
    return connect({ url: this.#url, name, cluster, timeoutMs: TIMEOUT_MS });
  }

  #key(key: string): string {
    return `${this.#prefix}:cache:${key}`;
  }
}

/** Whether the same call may succeed later: Redis is unavailable, or out of memory. */
function isUnavailable(error: unknown): boolean {
  return isRedisUnavailable(error) || (error instanceof Error && /^OOM\b/.test(error.message));
}

export const redis: Store = {
  engine: 'redis',
  title: 'Redis',
  variable: 'REDIS_URL',
  urlOf: ({ redisUrl }) => redisUrl,
  defaultPort: () => '6379',
  isUnavailable,
  probe: ({ redisUrl }, signal) => probeRedis(redisUrl, DRIVER_TIMEOUT_MS, signal),
};
