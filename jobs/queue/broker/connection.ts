/**
 * Connections on which nothing hangs and nothing is sent twice behind our back.
 *
 * By default ioredis keeps commands whose answer was lost and sends them again after a reconnect, so a script may run
 * twice; with that turned off alone they stay pending for ever. Here a broken connection rejects everything at once
 * (`maxRetriesPerRequest: 0`), and every command has a deadline, because a half-open connection breaks nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import {
  connectCluster,
  dropSilentNodes,
  nodesOf,
  withinDeadline,
  type Node,
} from '../../../base/redis/cluster.ts';
import { classify, QueueError } from './errors.ts';
import { script, type ScriptName } from './scripts.ts';

/** Longest wait for one answer, in milliseconds. */
const COMMAND_TIMEOUT_MS = 3000;
/** Longest blocking read the server is asked for, in seconds; its deadline on our side is a command timeout longer. */
export const BLOCK_SECONDS = 2;

/** How long a script is sent again while Redis is away, in milliseconds; asked anew before each time when it is a function. */
export type Patience = number | (() => number);

/** A connection to one Redis, or to all masters of a Redis Cluster. */
export type Client = Redis | Cluster;

export interface ConnectOptions {
  /** `redis://` or `rediss://`; of a cluster, any node. */
  url: string;
  /** Shown in CLIENT LIST. */
  name: string;
  /** Nodes of the cluster that are known; undefined when it is none. */
  cluster?: readonly Node[] | undefined;
  /** For blocking reads, which need a connection of their own. */
  blocking?: boolean;
}

const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** attempt, 1000);

const DISCIPLINE = {
  lazyConnect: true,
  connectTimeout: COMMAND_TIMEOUT_MS,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  keepAlive: 5000,
  retryStrategy: reconnectDelayMs,
  // A failed-over master answers READONLY until the connection is made anew.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
} satisfies RedisOptions;

/** A connection is made by its first command. */
export function connect({ url, name, cluster, blocking = false }: ConnectOptions): Client {
  const options = {
    ...DISCIPLINE,
    connectionName: name,
    commandTimeout: COMMAND_TIMEOUT_MS + (blocking ? BLOCK_SECONDS * 1000 : 0),
  };
  const client =
    cluster === undefined
      ? new Redis(url, options)
      : connectCluster({
          url,
          nodes: cluster,
          retryDelayMs: reconnectDelayMs,
          connection: options,
        });
  // Failures reach callers through their own commands.
  client.on('error', () => undefined);
  return client;
}

/** Runs a command; a lost answer also drops its connection, as a half-open one would swallow the next command too. */
export async function send<T>(redis: Client, command: () => Promise<unknown>): Promise<T> {
  try {
    const answer = command();
    return (await (redis instanceof Cluster ? withinDeadline(redis, answer) : answer)) as T;
  } catch (error) {
    if (error instanceof Error && error.message === 'Command timed out') {
      if (redis instanceof Cluster) dropSilentNodes(redis);
      else redis.disconnect(true);
    }
    throw error;
  }
}

/**
 * Runs a script on a shard. Every script is idempotent, so while Redis is away it is sent again until `patienceMs` have
 * passed.
 * @throws {QueueError}
 */
export async function runScript<T>(
  redis: Client,
  name: ScriptName,
  key: string,
  args: readonly (string | number)[],
  patienceMs: Patience,
): Promise<T> {
  const startedMs = performance.now();
  const isOver = (inMs: number): boolean => {
    const patience = typeof patienceMs === 'function' ? patienceMs() : patienceMs;
    return performance.now() + inMs > startedMs + patience;
  };
  for (let delayMs = 20; ; delayMs = Math.min(delayMs * 2, 500)) {
    try {
      return await evaluate<T>(redis, name, key, args);
    } catch (error) {
      const failure = classify(error);
      if (failure.code !== 'REDIS_UNAVAILABLE' || isOver(delayMs)) throw failure;
      await sleep(delayMs);
      if (isOver(0)) throw failure;
    }
  }
}

async function evaluate<T>(
  redis: Client,
  name: ScriptName,
  key: string,
  args: readonly (string | number)[],
): Promise<T> {
  const { sha, source } = script(name);
  try {
    return await send<T>(redis, () => redis.call('EVALSHA', sha, 1, key, ...args));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return send<T>(redis, () => redis.call('EVAL', source, 1, key, ...args));
  }
}

const NEEDED_MAJOR = 7;

/**
 * Checks that a Redis can hold a queue: version 7 or newer, a master, and never evicting keys.
 * @returns the nodes of the Redis Cluster it is one of; undefined when it is none.
 * @throws {QueueError} `REDIS_UNSUITABLE` with the reason, or `REDIS_UNAVAILABLE`
 */
export async function assertSuitable(redis: Client): Promise<Node[] | undefined> {
  const ask = <T>(command: () => Promise<T>) =>
    send<T>(redis, command).catch((error: unknown) => {
      throw classify(error);
    });
  const info = await ask(() => redis.info());
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const isCluster = fact('cluster_enabled') === '1';
  if (Number.parseInt(fact('redis_version'), 10) < NEEDED_MAJOR) {
    throw new QueueError(
      'REDIS_UNSUITABLE',
      `Redis ${NEEDED_MAJOR} or newer is needed, not ${fact('redis_version')}.`,
    );
  }
  // Any node of a cluster leads to its masters.
  if (!isCluster && fact('role') !== 'master') {
    throw new QueueError(
      'REDIS_UNSUITABLE',
      'This Redis is a replica; the queue needs the master.',
    );
  }
  const policy = fact('maxmemory_policy');
  if (policy !== '' && policy !== 'noeviction') {
    throw new QueueError(
      'REDIS_UNSUITABLE',
      `maxmemory-policy is ${policy}: jobs would vanish; set it to noeviction.`,
    );
  }
  return isCluster ? nodesOf(await ask(() => redis.call('CLUSTER', 'SLOTS'))) : undefined;
}
