/** Connects to a Redis Cluster. With its defaults, ioredis hangs, sends commands twice, or drops every node for one. */
import { Cluster } from 'ioredis';

export interface Node {
  host: string;
  port: number;
}

export interface ClusterConnectOptions {
  /** `redis://` or `rediss://`; all nodes share its user, password and TLS. */
  url: string;
  /** Further seed nodes, as any node may be unavailable. */
  nodes: readonly Node[];
  /** Pause before a reconnect, in milliseconds. */
  retryDelayMs(attempt: number): number;
  /** ioredis options for each node. */
  connection: {
    connectionName: string;
    commandTimeout: number;
    connectTimeout: number;
    keepAlive: number;
    lazyConnect: boolean;
    maxRetriesPerRequest: number;
    autoResendUnfulfilledCommands: boolean;
    reconnectOnError(error: Error): 1 | false;
  };
}

export function connectCluster({
  url,
  nodes,
  retryDelayMs,
  connection,
}: ClusterConnectOptions): Cluster {
  const { hostname, port, username, password, protocol } = new URL(url);
  const first = { host: hostname, port: Number(port || 6379) };
  const cluster = new Cluster([first, ...nodes], {
    lazyConnect: true,
    slotsRefreshTimeout: connection.commandTimeout,
    // By default ioredis resends commands after a lost connection; only callers may retry.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    maxRedirections: 8,
    clusterRetryStrategy: retryDelayMs,
    redisOptions: {
      ...connection,
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    },
  });
  deadlines.set(cluster, connection.commandTimeout);
  return cluster;
}

/** A cluster client ignores the command timeout while no node answers. */
const deadlines = new WeakMap<Cluster, number>();

/** @throws the timeout error of a single-server connection. */
export async function withinDeadline<T>(cluster: Cluster, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Command timed out')), deadlines.get(cluster));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Nodes with a ping pending. */
const asked = new WeakSet<object>();

/** Drops only connections that do not answer a ping: the other nodes serve other shards. */
export function dropSilentNodes(cluster: Cluster): void {
  for (const node of cluster.nodes()) {
    if (asked.has(node)) continue;
    asked.add(node);
    node
      .ping()
      .catch(() => node.disconnect())
      .finally(() => asked.delete(node));
  }
}

/** @param slots the answer to CLUSTER SLOTS. */
export function nodesOf(slots: unknown): Node[] {
  const nodes = new Map<string, Node>();
  for (const [, , ...owners] of slots as [number, number, ...[string, number][]][]) {
    for (const [host, port] of owners)
      if (host !== '') nodes.set(`${host}:${port}`, { host, port });
  }
  return [...nodes.values()];
}
