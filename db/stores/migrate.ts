/**
 * Forward-only migrations: `db/migrations/<set>/NNN_name.sql`, one transaction a file, what ran kept in `ai.migrations`.
 * Any number of processes may migrate at once: one works, the others wait and find nothing left to do.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { packagePath } from '../../base/package-path.ts';
import type { Queryable } from './postgres.ts';

/** `ai` is ours; `daodao` is the product's read model, created only where no product is around. */
export type MigrationSet = 'daodao' | 'ai';

/** The order in which sets are applied. */
const SETS: readonly MigrationSet[] = ['daodao', 'ai'];

const FILE_NAME = /^(\d{3})_[a-z0-9_]+\.sql$/;

/** Key of the advisory lock that serialises migrations of one database: any number that no other program uses. */
const LOCK_KEY = 7_263_041;

/** The files on disk and the record in the database do not fit, or a file failed. */
export class MigrationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MigrationError';
  }
}

interface Migration {
  set: MigrationSet;
  number: number;
  /** File name. */
  name: string;
  sql: string;
  /** SHA-256 of the file, as hex. */
  checksum: string;
}

type Applied = Pick<Migration, 'set' | 'number' | 'name' | 'checksum'>;

/**
 * Applies what is missing of the given sets, `daodao` before `ai`. Files cannot hold statements that refuse to run in a
 * transaction (`CREATE INDEX CONCURRENTLY`). Waits at most 60 s for another migration to end.
 * @param folder where the sets are; the package's own by default.
 * @returns the files applied by this call, as `<set>/<name>`, in order.
 * @throws {MigrationError} when an applied file changed or vanished, a number is taken twice or comes after a later one
 * was applied (nothing is applied then), or a file fails (that file leaves nothing, those before it stay).
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
  // A connection lost between two queries is reported by the next one; without a listener it would end the process.
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
 * Changes nothing. What a newer release has added is no obstacle: during a rolling deploy old and new run side by side.
 * @throws {MigrationError} naming what is missing of these sets.
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

/** The product's tables, which are never ours to make where the product is. */
const READ_MODEL = ['users', 'practices', 'practice_checkins'];

/**
 * Changes nothing.
 * @throws {MigrationError} when DaoDao's own tables are not there.
 */
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

/**
 * Changes nothing.
 * @throws {MigrationError} when the tables of people and practices are missing, or were not made by `migrate`.
 */
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

/** Takes the lock for the life of the connection, and creates the record on a new database. */
async function prepare(client: pg.Client): Promise<void> {
  await client.query("SET lock_timeout = '60s'");
  await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
  // A change of a table queues everyone behind it while it waits for its own lock: give up soon.
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

/** The files that have not run, once every one that has is found unchanged. */
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
    // Ending the connection, which follows, rolls back.
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationError(`${title(migration)} failed: ${reason}`, { cause: error });
  }
}

function title({ set, name }: Pick<Migration, 'set' | 'name'>): string {
  return `${set}/${name}`;
}
