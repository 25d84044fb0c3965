/**
 * Connections to a Redis Cluster: what ioredis does by default would hang, send commands twice, or drop every node for one.
 */
import { Cluster } from 'ioredis';

/** A node of a cluster. */
export interface Node {
  host: string;
  port: number;
}

export interface ClusterConnectOptions {
  /** `redis://` or `rediss://`; its user, password and TLS hold for all nodes. */
  url: string;
  /** Nodes to begin with, beside that of the URL: any of them may be unavailable. */
  nodes: readonly Node[];
  /** Pause before the cluster is looked for again, in milliseconds. */
  retryDelayMs(attempt: number): number;
  /** Options of ioredis for the connection to each node. */
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
    // By default it sends again by itself after a lost connection; ours are the only repeats.
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

/** While no node answers, a cluster client keeps commands for as long as that lasts, whatever their timeout. */
const deadlines = new WeakMap<Cluster, number>();

/** @throws what ioredis throws when a command of a single server takes too long. */
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

/** Nodes that were asked whether they are there, and have yet to answer. */
const asked = new WeakSet<object>();

/** Drops the connections on which nothing is answered, and no others: the nodes behind those serve other shards. */
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

/** The masters and replicas a node of a cluster knows of. @param slots the answer to CLUSTER SLOTS. */
export function nodesOf(slots: unknown): Node[] {
  const nodes = new Map<string, Node>();
  for (const [, , ...owners] of slots as [number, number, ...[string, number][]][]) {
    for (const [host, port] of owners)
      if (host !== '') nodes.set(`${host}:${port}`, { host, port });
  }
  return [...nodes.values()];
}
