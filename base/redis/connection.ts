/**
 * Connections on which nothing hangs and nothing is sent twice behind our back.
 *
 * By default ioredis keeps commands whose answer was lost and sends them again after a reconnect, so a script may run
 * twice; with that turned off alone they stay pending for ever. Here a broken connection rejects everything at once
 * (`maxRetriesPerRequest: 0`), and every command has a deadline, because a half-open connection breaks nothing.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { connectCluster, dropSilentNodes, withinDeadline, type Node } from './cluster.ts';

/** Longest wait for one answer, in milliseconds. */
const COMMAND_TIMEOUT_MS = 3000;
/** Longest blocking read the server is asked for, in seconds; its deadline on our side is a command timeout longer. */
export const BLOCK_SECONDS = 2;

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
  /** Longest wait for one answer, in milliseconds. Default 3,000. */
  timeoutMs?: number;
}

const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** attempt, 1000);

const DISCIPLINE = {
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  keepAlive: 5000,
  retryStrategy: reconnectDelayMs,
  // A failed-over master answers READONLY until the connection is made anew.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
} satisfies RedisOptions;

/** A connection is made by its first command. */
export function connect({
  url,
  name,
  cluster,
  blocking = false,
  timeoutMs = COMMAND_TIMEOUT_MS,
}: ConnectOptions): Client {
  const options = {
    ...DISCIPLINE,
    connectionName: name,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs + (blocking ? BLOCK_SECONDS * 1000 : 0),
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

export const isCluster = (client: Client): client is Cluster => client instanceof Cluster;

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
