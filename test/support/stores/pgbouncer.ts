/**
 * PgBouncer in transaction mode before the server of a test, where it is installed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../../db/embedded/host/port.ts';

/** Fewer server connections than the application has connections to the pooler, so that each serves many. */
const SERVER_CONNECTIONS = 3;

/** Its version, or undefined. */
export function pgbouncerVersion(): string | undefined {
  try {
    return /\d[\d.]*/.exec(execFileSync('pgbouncer', ['--version'], { encoding: 'utf8' }))?.[0];
  } catch {
    return undefined;
  }
}

export interface Pooler {
  /** Of the same database, by way of the pooler. */
  url: string;
  stop(): Promise<void>;
}

export async function startPgbouncer(databaseUrl: string): Promise<Pooler> {
  const direct = new URL(databaseUrl);
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-pooler-'));
  await chmod(folder, 0o711);
  const port = await freePort();
  const database = direct.pathname.slice(1);
  const login = `user=${direct.username} password=${decodeURIComponent(direct.password)}`;
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
${database} = host=${direct.hostname} port=${direct.port} dbname=${database} ${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${SERVER_CONNECTIONS}
max_client_conn = 200
`,
  );
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ['--user', 'nobody'] : [];
  const child = spawn('pgbouncer', [...user, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let text = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (/process up/.test(text)) resolve();
    });
    child.once('error', reject);
    void ended.then(() => reject(new Error(`PgBouncer ended: ${text}`)));
  });
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
