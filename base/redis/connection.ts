/**
 * Redis connections on which no command hangs and ioredis resends none.
 * By default ioredis resends commands whose answer was lost, so a script may run twice; with that off, they stay
 * pending forever. Here a broken connection rejects all pending commands (`maxRetriesPerRequest: 0`), and each command
 * has a deadline, because a half-open connection reports no error.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { connectCluster, dropSilentNodes, withinDeadline, type Node } from './cluster.ts';

/** Longest wait for one answer, in milliseconds. */
const COMMAND_TIMEOUT_MS = 3000;
/** Longest blocking read, in seconds; the client waits a command timeout longer. */
export const BLOCK_SECONDS = 2;

/** One Redis, or all masters of a Redis Cluster. */
export type Client = Redis | Cluster;

export interface ConnectOptions {
  /** `redis://` or `rediss://`; for a cluster, any node. */
  url: string;
  /** Shown in CLIENT LIST. */
  name: string;
  /** Known nodes of the cluster; undefined for a single server. */
  cluster?: readonly Node[] | undefined;
  /** A blocking read occupies its connection. */
  blocking?: boolean;
  /** In milliseconds. Default 3,000. */
  timeoutMs?: number;
}

const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** attempt, 1000);

const DISCIPLINE = {
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  keepAlive: 5000,
  retryStrategy: reconnectDelayMs,
  // A demoted master answers READONLY until the client reconnects.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
} satisfies RedisOptions;

/** Connects on the first command. */
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
  // Callers get failures from their own commands.
  client.on('error', () => undefined);
  return client;
}

export const isCluster = (client: Client): client is Cluster => client instanceof Cluster;

/** Drops the connection after a timeout: if it is half-open, it would swallow the next command too. */
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
