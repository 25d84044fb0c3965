/**
 * Forward-only migrations: `db/migrations/<set>/NNN_name.sql`, one transaction per file, recorded in `ai.migrations`. Concurrent
 * runs are safe: one applies the files, the others wait and find nothing to do.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { packagePath } from '../../base/package-path.ts';
import type { Queryable } from './postgres.ts';

/** `ai` is ours; `daodao` is the product's read model, created only for trials without the product. */
export type MigrationSet = 'daodao' | 'ai';

const SETS: readonly MigrationSet[] = ['daodao', 'ai'];

const FILE_NAME = /^(\d{3})_[a-z0-9_]+\.sql$/;

/** Advisory lock that serialises migrations of a database; an arbitrary number. */
const LOCK_KEY = 7_263_041;

/** The files contradict the record in the database, or a file failed. */
export class MigrationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MigrationError';
  }
}

interface Migration {
  set: MigrationSet;
  number: number;
  name: string;
  sql: string;
  checksum: string;
}

type Applied = Pick<Migration, 'set' | 'number' | 'name' | 'checksum'>;

/**
 * Applies the missing files of the sets, `daodao` before `ai`, one transaction per file, which rules out statements such as
 * `CREATE INDEX CONCURRENTLY`. Waits at most 60 s for a concurrent migration.
 * @param folder default: the package's own.
 * @returns the applied files as `<set>/<name>`, in order.
 * @throws {MigrationError} if an applied file changed or vanished, or a number is duplicate or lower than an applied one (then
 * nothing is applied); or if a file fails (it is rolled back, those before it stay).
 */
export async function migrate(
  databaseUrl: string,
  sets: readonly MigrationSet[],
  folder = packagePath('db', 'migrations'),
): Promise<string[]> {
  const wanted = SETS.filter((set) => sets.includes(set));
  const files = (await Promise.all(wanted.map((set) => readSet(folder, set)))).flat();
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'migrate',
    connectionTimeoutMillis: 10_000,
  });
  // The next query reports a lost connection; without a listener the error would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await prepare(client);
    const pending = selectPending(files, await readApplied(client, wanted));
    for (const migration of pending) await apply(client, migration);
    return pending.map(title);
  } finally {
    await client.end();
  }
}

/**
 * Read-only. Ignores migrations of a newer release, as old and new releases run side by side during a rolling deploy.
 * @throws {MigrationError} naming the missing files of the sets.
 */
export async function assertMigrated(db: Queryable, sets: readonly MigrationSet[]): Promise<void> {
  const folder = packagePath('db', 'migrations');
  const files = (await Promise.all(sets.map((set) => readSet(folder, set)))).flat();
  const { rows } = await db.query<{ known: boolean }>(
    "SELECT to_regclass('ai.migrations') IS NOT NULL AS known",
  );
  const applied = rows[0]?.known === true ? await readApplied(db, sets) : [];
  const known = applied.filter(
    ({ set, number }) => number <= (files.findLast((file) => file.set === set)?.number ?? 0),
  );
  const pending = selectPending(files, known).map(title);
  if (pending.length > 0) {
    throw new MigrationError(
      `The database lacks ${pending.join(', ')}: run npm run cli -- migrate first.`,
    );
  }
}

const READ_MODEL = ['users', 'practices', 'practice_checkins'];

/** Read-only. @throws {MigrationError} when DaoDao's own tables are missing. */
export async function assertReadModel(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL',
    [READ_MODEL],
  );
  if (rows.length === 0) return;
  throw new MigrationError(
    `The database (DATABASE_URL) lacks DaoDao's own tables ${rows.map(({ name }) => name).join(', ')}: ` +
      'point it at the database of the product, or, for a trial, run npm run cli -- migrate --seed.',
  );
}

/** Read-only. @throws {MigrationError} when the read model is missing, or was not created by `migrate`. */
export async function assertTrial(db: Queryable): Promise<void> {
  await assertReadModel(db);
  await assertMigrated(db, ['daodao']).catch((cause: unknown) => {
    throw new MigrationError(
      'The people and practices of this database (DATABASE_URL) are the product’s own: the seed is for trials, ' +
        'on a database that npm run cli -- migrate --seed has made.',
      { cause },
    );
  });
}

async function readSet(folder: string, set: MigrationSet): Promise<Migration[]> {
  const names = (await readdir(path.join(folder, set))).toSorted();
  const migrations: Migration[] = [];
  for (const name of names) {
    const digits = FILE_NAME.exec(name)?.[1];
    if (digits === undefined)
      throw new MigrationError(`${set}/${name} is not named NNN_name.sql in lower case`);
    const sql = await readFile(path.join(folder, set, name), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    const migration = { set, number: Number(digits), name, sql, checksum };
    const previous = migrations.at(-1);
    if (previous?.number === migration.number)
      throw new MigrationError(`${title(previous)} and ${title(migration)} share a number`);
    migrations.push(migration);
  }
  return migrations;
}

/** Takes the lock for the life of the connection, and creates the record if missing. */
async function prepare(client: pg.Client): Promise<void> {
  await client.query("SET lock_timeout = '60s'");
  await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
  // A waiting table change blocks all later queries on the table: give up soon.
  await client.query("SET lock_timeout = '5s'; SET client_min_messages = 'warning'");
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS ai;
    CREATE TABLE IF NOT EXISTS ai.migrations (
      set text NOT NULL,
      number integer NOT NULL,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (set, number)
    )`);
}

async function readApplied(client: Queryable, sets: readonly string[]): Promise<Applied[]> {
  const { rows } = await client.query<Applied>(
    'SELECT set, number, name, checksum FROM ai.migrations WHERE set = ANY($1) ORDER BY set, number',
    [sets],
  );
  return rows;
}

/** @returns the files to apply. @throws {MigrationError} when an applied file has changed or a number is out of order. */
function selectPending(files: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const newest = new Map<MigrationSet, number>();
  for (const record of applied) {
    newest.set(record.set, record.number);
    const file = files.find(({ set, name }) => set === record.set && name === record.name);
    if (file === undefined)
      throw new MigrationError(`${title(record)} was applied, but the file is gone`);
    if (file.checksum !== record.checksum)
      throw new MigrationError(`${title(record)} was changed after it was applied: add a new file`);
  }
  const done = new Set(applied.map(title));
  const pending = files.filter((file) => !done.has(title(file)));
  for (const file of pending) {
    if (file.number <= (newest.get(file.set) ?? -1))
      throw new MigrationError(`${title(file)} comes too late: a later number was applied already`);
  }
  return pending;
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(migration.sql);
    await client.query(
      'INSERT INTO ai.migrations (set, number, name, checksum) VALUES ($1, $2, $3, $4)',
      [migration.set, migration.number, migration.name, migration.checksum],
    );
    await client.query('COMMIT');
  } catch (error) {
    // The caller closes the connection, which rolls back.
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationError(`${title(migration)} failed: ${reason}`, { cause: error });
  }
}

function title({ set, name }: Pick<Migration, 'set' | 'name'>): string {
  return `${set}/${name}`;
}
