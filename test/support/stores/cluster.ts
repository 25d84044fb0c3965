/**
 * A real Redis Cluster for one test file: three masters and a replica of the one that holds shard 0.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { loadConfig } from '../../../base/config.ts';
import { startKeeper } from '../../../db/embedded/host/keeper.ts';
import { freePort } from '../../../db/embedded/host/port.ts';
import { findRedis, type RedisBinary } from '../../../db/embedded/redis/binary.ts';
import { startServer, type Server } from '../../../db/embedded/host/server.ts';
import { eventually } from '../queue/consumers.ts';

const SLOTS = 16_384;
/** After this a silent node is taken for dead, in milliseconds. */
const NODE_TIMEOUT_MS = 1000;

interface Node extends Server {
  port: number;
  busPort: number;
  redis: Redis;
}

export interface TestCluster {
  /** Of a master that is not killed. */
  url: string;
  /** One client for each master, the one with a replica first. */
  masters: Redis[];
  replica: Redis;
  /** Resolves when the replica has all that the first master has. */
  replicated(): Promise<void>;
  /** Cuts the replica off from the first master: what is written from now on is lost with it. */
  cutOff(): Promise<void>;
  /** Kills the first master without a word. */
  killFirst(): void;
  /** Kills every master without a word: the replica alone cannot take over from them. */
  killMasters(): void;
  /** Resolves when every living node says that all slots are served. */
  agreed(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCluster(): Promise<TestCluster> {
  const folder = mkdtempSync(path.join(tmpdir(), 'daodao-cluster-'));
  const nodes: Node[] = [];
  // A test file that is ended for taking too long runs no hooks.
  const keeper = startKeeper();
  const living: Node[] = [];
  const stop = async (): Promise<void> => {
    for (const { redis } of nodes) redis.disconnect();
    await Promise.all(nodes.map((node) => node.stop()));
    await keeper.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const kill = (masters: number): void => {
    for (const { pid } of living.splice(0, masters)) process.kill(pid, 'SIGKILL');
  };
  const agreed = (): Promise<void> => eventually('the cluster agrees', () => allServed(living));
  try {
    const binary = await findRedis(loadConfig().cacheDir);
    for (let i = 0; i < 4; i++) {
      const node = await startNode(binary, path.join(folder, String(i)));
      keeper.watch(node.pid, 'SIGTERM');
      nodes.push(node);
      living.push(node);
    }
    await join(nodes);
    await agreed();
  } catch (error) {
    await stop();
    throw error;
  }
  const [first, second, third, replica] = nodes.map(({ redis }) => redis);
  return {
    url: `redis://127.0.0.1:${nodes[1]!.port}`,
    masters: [first!, second!, third!],
    replica: replica!,
    replicated: () =>
      eventually('the replica has everything', async () => {
        const offsets = [first!, replica!].map(
          async (node) =>
            /^(?:master|slave)_repl_offset:(\d+)/m.exec(await node.info('replication'))?.[1],
        );
        const [original, copy] = await Promise.all(offsets);
        return original === copy;
      }),
    async cutOff() {
      await first!.acl('SETUSER', 'default', '-psync', '-sync');
      await first!.call('CLIENT', 'KILL', 'TYPE', 'replica');
    },
    killFirst: () => kill(1),
    killMasters: () => kill(3),
    agreed,
    stop,
  };
}

async function startNode(binary: RedisBinary, folder: string): Promise<Node> {
  mkdirSync(folder);
  const port = await freePort();
  const busPort = await freePort();
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    save: '',
    'cluster-enabled': 'yes',
    'cluster-port': String(busPort),
    'cluster-node-timeout': String(NODE_TIMEOUT_MS),
    'cluster-replica-validity-factor': '0',
    'repl-diskless-sync-delay': '0',
    'maxmemory-policy': 'noeviction',
  };
  const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  const server = await startServer({
    name: 'A node of the cluster',
    command: binary.command,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    env: binary.env,
    logFile: path.join(folder, 'log'),
    probe: () => redis.ping(),
    stopSignals: ['SIGTERM'],
  });
  return { ...server, port, busPort, redis };
}

/** Makes one cluster of them. The slots are dealt so that shard 0 lives on the first. */
async function join(nodes: readonly Node[]): Promise<void> {
  const [first, ...others] = nodes;
  for (const { port, busPort } of others)
    await first!.redis.cluster('MEET', '127.0.0.1', port, busPort);
  const slot = await first!.redis.cluster('KEYSLOT', '{s0}');
  const third = Math.floor(SLOTS / 3);
  const ranges = [0, 1, 2].map(
    (i) => [i * third, i === 2 ? SLOTS - 1 : (i + 1) * third - 1] as const,
  );
  const own = ranges.findIndex(([from, to]) => from <= slot && slot <= to);
  for (let i = 0; i < 3; i++) {
    const [from, to] = ranges[(own + i) % 3]!;
    await nodes[i]!.redis.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
  }
  const master = (await first!.redis.call('CLUSTER', 'MYID')) as string;
  const { redis } = nodes[3]!;
  // Refused until it has heard of its master.
  await eventually('the replica follows', () =>
    redis.call('CLUSTER', 'REPLICATE', master).then(
      () => true,
      () => false,
    ),
  );
  await eventually('the replica has caught up', async () =>
    (await redis.info('replication')).includes('master_link_status:up'),
  );
}

async function allServed(nodes: readonly Node[]): Promise<boolean> {
  const infos = await Promise.all(nodes.map(({ redis }) => redis.cluster('INFO').catch(() => '')));
  return infos.every(
    (info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:4'),
  );
}
