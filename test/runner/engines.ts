/**
 * One embedded Postgres and one embedded Redis for all files of a run.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { loadConfig } from '../../base/config.ts';
import type { Engine } from '../../db/embedded/host/engine.ts';
import { startPostgres } from '../../db/embedded/postgres/start.ts';
import { startRedis } from '../../db/embedded/redis/start.ts';

/** Runs `work` with both engines up. They are stopped and their data is removed however it ends. */
export async function withEngines<T>(work: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-test-'));
  // Postgres refuses to run as root, so its unprivileged user must be able to pass through.
  await chmod(dataDir, 0o711);
  const engines: Engine[] = [];
  try {
    const postgres = await startPostgres({ dataDir });
    engines.push(postgres);
    await hurry(postgres.url);
    const redis = await startRedis({ dataDir, cacheDir: loadConfig().cacheDir });
    engines.push(redis);
    return await work({ TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url });
  } finally {
    const stopped = await Promise.allSettled(engines.map((engine) => engine.stop()));
    await rm(dataDir, { recursive: true, force: true });
    for (const result of stopped) if (result.status === 'rejected') process.exitCode = 1;
  }
}

/** What a test writes need not outlive a power cut, and its thousand connections need no slow hash of a password. */
async function hurry(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const setting of ['fsync', 'full_page_writes', 'autovacuum']) {
      await client.query(`ALTER SYSTEM SET ${setting} = off`);
    }
    await client.query('SELECT pg_reload_conf()');
    await client.query('SET scram_iterations = 1');
    const { username, password } = new URL(url);
    await client.query(
      `ALTER ROLE ${pg.escapeIdentifier(username)} PASSWORD ${pg.escapeLiteral(password)}`,
    );
  } finally {
    await client.end();
  }
}
