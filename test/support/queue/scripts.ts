/**
 * A queue of its own for every test, on the server of `TEST_REDIS_URL`, with its whole state as a plain object.
 *
 * In states, calls and replies `@name` stands for the id of that name and `T`, `T+60s`, `T-5s` for times around the
 * present, so that what Redis holds can be written down in a test and compared as a whole.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import {
  Broker,
  QueueError,
  type JobRequest,
  type QueueOptions,
} from '../../../jobs/queue/index.ts';
import { atEnd } from '../at-end.ts';
import { undocumented } from './keyspace.ts';

/** Key, without prefix and shard, to what it holds: hashes and sorted sets as objects, lists and sets as arrays. */
export type State = Record<string, unknown>;

export interface TestQueue {
  broker: Broker;
  /** A plain client of the same Redis. */
  redis: Redis;
  prefix: string;
  /** Another broker of the same queue, closed with the test. */
  another(options?: Partial<QueueOptions>): Broker;
  /** Replaces everything the queue holds on a shard. */
  load(state: State, shard?: number): Promise<void>;
  read(shard?: number): Promise<State>;
  /** Has something stopped before the queue is dropped. */
  atEnd(stop: () => Promise<unknown>): void;
  /** Checks and removes its keys and closes its connections before the test ends. */
  drop(): Promise<void>;
}

export function redisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined) throw new Error('TEST_REDIS_URL is not set: run the tests with npm test');
  return url;
}

/** A queue under a prefix nobody else uses. After the test its keys must be documented ones; then they are removed. */
export function testQueue(t: TestContext, options: Partial<QueueOptions> = {}): TestQueue {
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const url = options.url ?? redisUrl();
  const redis = new Redis(url);
  redis.on('error', () => undefined);
  const brokers: Broker[] = [];
  const another = (more: Partial<QueueOptions> = {}): Broker => {
    const broker = new Broker({ url, prefix, ...options, ...more });
    brokers.push(broker);
    return broker;
  };
  const tagged = (shard: number) => `${prefix}:{s${shard}}:`;
  let dropped: Promise<void> | undefined;
  const clear = async (): Promise<void> => {
    for (const broker of brokers) broker.close();
    try {
      const keys = await redis.keys(`${prefix}:*`);
      const strangers = await undocumented(redis, keys, prefix);
      if (keys.length > 0) await redis.del(...keys);
      assert.deepEqual(strangers, []);
    } finally {
      redis.disconnect();
    }
  };
  const drop = (): Promise<void> => (dropped ??= clear());
  atEnd(t, drop);
  return {
    broker: another(),
    redis,
    prefix,
    another,
    atEnd: (stop) => atEnd(t, stop),
    drop,
    async load(state, shard = 0) {
      const old = await redis.keys(`${tagged(shard)}*`);
      if (old.length > 0) await redis.del(...old);
      for (const [name, value] of Object.entries(state)) {
        await write(redis, tagged(shard) + plain(name), name, plain(value));
      }
    },
    async read(shard = 0) {
      const names = await redis.keys(`${tagged(shard)}*`);
      const state: State = {};
      for (const name of names.toSorted()) {
        const last = name.slice(tagged(shard).length);
        // What a call of `Control` was told is no part of what it did.
        if (!/^(answer|reply):/.test(last)) state[short(last)] = short(await content(redis, name));
      }
      return state;
    },
  };
}

const names = new Map<string, string>();

/** The id that `@name` stands for: always the same for a name. */
export function uuid(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  names.set(id, name);
  return id;
}

/** A request with everything a test does not care about filled in. */
export function request(name: string, more: Partial<JobRequest> = {}): JobRequest {
  return { id: uuid(name), task: 'work', queue: 'main', payload: `{"of":"${name}"}`, ...more };
}

/** The record such a request leaves in `jobs`, in the notation of states. */
export function record(
  name: string,
  more: Partial<JobRequest> & { expires?: string } = {},
): string {
  const { queue = 'main', priority = 5, task = 'work', payload = `{"of":"${name}"}` } = more;
  const expiry = more.expires === undefined ? '' : `"x":${more.expires},`;
  const kind = more.expires === undefined ? 'v1' : 'e1';
  return `${kind}{"q":"${queue}","p":${priority},${expiry}"n":"${task}","c":T}\n${payload}`;
}

/** What a call answered, or the code of the error it was refused with. */
export async function answer(call: Promise<unknown>): Promise<unknown> {
  try {
    return short(await call);
  } catch (error) {
    if (error instanceof QueueError) return error.code;
    throw error;
  }
}

/** Times that were written, and how: however long a test takes, they are read as that. */
const times = new Map<string, string>();

/** From the notation of states to what Redis holds. */
export function plain<T>(value: T): T {
  return mapText(value, (text) =>
    text
      .replaceAll(/@(\w+)/g, (_, name: string) => uuid(name))
      .replaceAll(/(?<![A-Za-su-z_])T(?:([+-]\d+)s)?\b/g, (notation, seconds?: string) => {
        const ms = String(Date.now() + Number(seconds ?? 0) * 1000);
        times.set(ms, notation);
        return ms;
      }),
  ) as T;
}

/** From what Redis holds to the notation of states: times as they were written, others rounded to 5 s, and none with its fraction. */
export function short<T>(value: T): T {
  return mapText(value, (text) =>
    text
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
        const name = names.get(id);
        return name === undefined ? id : `@${name}`;
      })
      .replaceAll(/(?<!\d)([12]\d{12})(?:\.\d+)?(?!\d)/g, (_, ms: string) => {
        const written = times.get(ms);
        if (written !== undefined) return written;
        const seconds = Math.round((Number(ms) - Date.now()) / 5000) * 5;
        return seconds === 0 ? 'T' : `T${seconds > 0 ? '+' : ''}${seconds}s`;
      }),
  ) as T;
}

function mapText(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (typeof value === 'number') return value > 1e12 ? map(String(value)) : value;
  if (Array.isArray(value)) return value.map((item) => mapText(item, map));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [map(key), mapText(item, map)]),
  );
}

type Pairs = Record<string, string>;

async function write(redis: Redis, key: string, name: string, value: unknown): Promise<void> {
  const family = name.split(':')[0]!;
  if (Array.isArray(value)) {
    if (['lease', 'paused', 'queues'].includes(family))
      await redis.sadd(key, ...(value as string[]));
    else await redis.rpush(key, ...(value as string[]));
  } else if (typeof value !== 'object' || value === null) {
    await redis.set(key, String(value));
  } else if (['delayed', 'workers', 'idle', 'failed'].includes(family)) {
    for (const [member, score] of Object.entries(value as Pairs))
      await redis.zadd(key, score, member);
  } else {
    await redis.hset(key, value);
  }
}

async function content(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return short(await redis.smembers(key)).toSorted();
    case 'zset':
      return toObject(await redis.zrange(key, '0', '-1', 'WITHSCORES'));
    case 'stream':
      return (await redis.xrange(key, '-', '+')).map(([, fields]) => toObject(fields));
    default:
      return redis.get(key);
  }
}

function toObject(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]),
  );
}
