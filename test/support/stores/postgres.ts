/**
 * A database of its own for every test file, on the server of `TEST_DATABASE_URL`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { packagePath } from '../../../base/package-path.ts';
import { migrate } from '../../../db/stores/migrate.ts';
import { HANG_MS } from '../patience.ts';
import { createPool, type Pool } from '../../../db/stores/postgres.ts';

export interface TestDatabase {
  url: string;
  /** Ten connections. */
  pool: Pool;
  /** Four connections that refuse to write. */
  reader: Pool;
  /** Closes the pools and removes the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** Serialises test files while the template is made and copied. */
const LOCK_KEY = 7_263_042;

/** A new database with all migrations applied: a copy of a template that the first caller makes. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return create(await templateName());
}

/** A new database with nothing in it. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return create('template0');
}

async function create(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    if (!(await exists(admin, template))) await makeTemplate(admin, template);
    // Without fsync, copying the files takes a fraction of writing them to the WAL.
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  });
  const url = urlOf(name);
  const pool = patient(createPool(url, { max: 10, name: 'test' }));
  const reader = patient(createPool(url, { max: 4, name: 'test', readOnly: true }));
  return {
    url,
    pool,
    reader,
    async drop() {
      await Promise.all([pool.end(), reader.end()]);
      await asAdmin((admin) => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

/** What a test itself asks may take as long as a busy machine likes. */
function patient(pool: Pool): Pool {
  Object.assign(pool.options, { connectionTimeoutMillis: HANG_MS, query_timeout: HANG_MS });
  return pool;
}

/** Resolves once somebody in this database waits for a lock. */
export async function lockAwaited(pool: Pool): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rowCount !== 0) return;
  }
}

/** Named after what it holds, so that a server that outlives a run never serves yesterday's tables. */
async function templateName(): Promise<string> {
  const folder = packagePath('db', 'migrations');
  const hash = createHash('sha256');
  for (const file of (await readdir(folder, { recursive: true })).toSorted()) {
    if (file.endsWith('.sql')) hash.update(file).update(await readFile(path.join(folder, file)));
  }
  return `template_${hash.digest('hex').slice(0, 16)}`;
}

/** Built under another name: a run that ends half way leaves no template that looks complete. */
async function makeTemplate(admin: pg.Client, template: string): Promise<void> {
  const unfinished = `${template}_unfinished`;
  await admin.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${unfinished} TEMPLATE template0`);
  await migrate(urlOf(unfinished), ['daodao', 'ai']);
  await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`);
}

async function exists(admin: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  return rowCount === 1;
}

async function asAdmin(work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: serverUrl() });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(serverUrl());
  url.pathname = database;
  return url.href;
}

function serverUrl(): string {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined)
    throw new Error('TEST_DATABASE_URL is not set: run the tests with npm test');
  return url;
}
