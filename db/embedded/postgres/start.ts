/**
 * The embedded Postgres: the real server on a free loopback port, with its cluster in `<dataDir>/postgres`.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { launchAs, unprivilegedAccount } from './account.ts';
import type { Account } from '../host/server.ts';
import type { Engine } from '../host/engine.ts';
import { freePort } from '../host/port.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import { endOrphan, startServer } from '../host/server.ts';

const USER = 'daodao';

/** Durable but small, for a laptop or a 2 GB host that runs everything. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  log_timezone: 'UTC',
  timezone: 'UTC',
} as const;

export interface PostgresOptions {
  dataDir: string;
  /** Called with the process id of initdb, then with that of the server before it is ready. */
  onSpawn?: (pid: number) => void;
}

/**
 * Starts Postgres, after stopping a server that a crashed parent left on the same data. The first start creates the
 * cluster: UTF-8, the built-in C.UTF-8 locale, a generated password.
 * @throws if the optional package is missing, the data is another major version's, or the server does not start.
 */
export async function startPostgres({ dataDir, onSpawn }: PostgresOptions): Promise<Engine> {
  const cluster = path.resolve(dataDir, 'postgres');
  await mkdir(dataDir, { recursive: true });
  const binaries = findBinaries(path.resolve(dataDir, 'postgres-libraries'));
  const account = unprivilegedAccount(cluster);
  if (existsSync(cluster)) {
    await endOrphan(path.join(cluster, 'postmaster.pid'), cluster, 'SIGINT');
    await checkVersion(cluster, binaries);
    if (account !== undefined) await giveTo(account, cluster);
  } else {
    await createCluster(cluster, binaries, account, onSpawn);
  }
  const password = await readFile(path.join(cluster, 'password'), 'utf8');
  const port = await freePort();
  const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
  const settings = Object.entries({ ...SETTINGS, port: String(port) });
  const args = ['-D', cluster, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const server = await startServer({
    name: 'The embedded Postgres',
    ...launchAs(account, binaries.postgres, args, [cluster, binaries.postgres]),
    env: binaries.env,
    logFile: path.resolve(dataDir, 'postgres.log'),
    probe: () => connect(url),
    onSpawn,
    // Fast shutdown (rolls back, disconnects), then immediate (recovers at the next start).
    stopSignals: ['SIGINT', 'SIGQUIT'],
  });
  return { name: 'postgres', url, note: `Postgres ${binaries.version}`, ...server };
}

async function connect(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Creates the cluster under a temporary name and renames it when complete, so that an interrupted start leaves no partial
 * one. Removes the drafts of such starts; their initdb, if it still runs, never writes to this draft.
 */
async function createCluster(
  cluster: string,
  binaries: Binaries,
  account: Account | undefined,
  onSpawn: PostgresOptions['onSpawn'],
): Promise<void> {
  const drafts = `${cluster}.new.`;
  const parent = path.dirname(cluster);
  for (const name of await readdir(parent)) {
    const file = path.join(parent, name);
    if (file.startsWith(drafts)) await rm(file, { recursive: true, force: true, maxRetries: 5 });
  }
  const fresh = await mkdtemp(drafts);
  const passwordFile = `${fresh}.password`;
  await writeFile(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  if (account !== undefined) {
    for (const file of [fresh, passwordFile]) await chown(file, account.uid, account.gid);
  }
  const locale = ['--encoding=UTF8', '--locale=C'];
  const provider = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const launch = launchAs(
    account,
    binaries.initdb,
    ['-D', fresh, ...locale, ...provider, ...access],
    [fresh, binaries.initdb],
  );
  const running = promisify(execFile)(launch.command, launch.args, {
    env: binaries.env,
    cwd: '/',
    ...launch.account,
  });
  if (running.child.pid !== undefined) onSpawn?.(running.child.pid);
  await running.catch((error: Error & { stderr?: string }) => {
    // A container may run under a user id without a name, which initdb requires.
    const hint = error.message.includes('look up effective user ID')
      ? '. Give this user a line in /etc/passwd, or set DATABASE_URL.'
      : '';
    throw new Error(`initdb failed: ${(error.stderr ?? error.message).trim()}${hint}`);
  });
  await rename(passwordFile, path.join(fresh, 'password'));
  await rename(fresh, cluster);
}

async function checkVersion(cluster: string, { version }: Binaries): Promise<void> {
  const made = await readFile(path.join(cluster, 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EACCES') throw error;
      throw new Error(
        `${cluster} belongs to another user: run as that user, or set another DATA_DIR.`,
      );
    },
  );
  if (made.trim() === version.split('.')[0]) return;
  throw new Error(
    `${cluster} was made by Postgres ${made.trim()}, this is ${version}: ` +
      'dump it with that version, or empty it with `npm run cli -- reset --yes`.',
  );
}

/** Postgres must own its data; a copied or restored folder may belong to root. */
async function giveTo({ uid, gid }: Account, cluster: string): Promise<void> {
  const inside = await readdir(cluster, { recursive: true });
  for (const file of ['', ...inside]) await chown(path.join(cluster, file), uid, gid);
}
