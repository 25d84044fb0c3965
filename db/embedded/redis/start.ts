/**
 * The embedded Redis: a real redis-server on a free loopback port, with its append-only file in `<dataDir>/redis`.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import type { Engine } from '../host/engine.ts';
import { freePort } from '../host/port.ts';
import { endOrphan, startServer } from '../host/server.ts';
import { findRedis } from './binary.ts';

export interface RedisOptions {
  dataDir: string;
  cacheDir: string;
  onSpawn?: (pid: number) => void;
  /** Called before a download, which takes some seconds. */
  onFetch?: () => void;
}

/**
 * Starts Redis for a queue: no eviction, and an append-only file synced once a second. First stops a server that a
 * crashed parent left on the same data, because two would corrupt the file.
 * @throws with the install command if redis-server is missing.
 */
export async function startRedis({
  dataDir,
  cacheDir,
  onSpawn,
  onFetch,
}: RedisOptions): Promise<Engine> {
  const folder = path.resolve(dataDir, 'redis');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { command, version, env } = await findRedis(cacheDir, onFetch);
  const pidFile = path.join(folder, 'redis.pid');
  await endOrphan(pidFile, folder, 'SIGTERM');
  const port = await freePort();
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    pidfile: pidFile,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    // Keeps the folder in the command line, which `endOrphan` searches.
    'set-proc-title': 'no',
  };
  const server = await startServer({
    name: 'The embedded Redis',
    command,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    env,
    logFile: path.resolve(dataDir, 'redis.log'),
    probe: (pid) => ping(port, pid),
    onSpawn,
    stopSignals: ['SIGTERM'],
  });
  return { name: 'redis', url: `redis://127.0.0.1:${port}`, note: `Redis ${version}`, ...server };
}

/** Another server may have taken the port, so the answer must contain the process id. */
async function ping(port: number, pid: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const info = await client.info('server');
    if (!info.includes(`process_id:${pid}\r`)) throw new Error(`port ${port} is another's`);
  } finally {
    // Without a connection, `disconnect` leaves a 2 s timer behind.
    if (client.status !== 'end') client.disconnect();
  }
}
