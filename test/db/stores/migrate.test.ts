import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  assertMigrated,
  assertTrial,
  migrate,
  MigrationError,
  type MigrationSet,
} from '../../../db/stores/migrate.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  type TestDatabase,
} from '../../support/stores/postgres.ts';

let database: TestDatabase;
let folder: string;

before(async () => {
  database = await createEmptyDatabase();
});
after(() => database.drop());

beforeEach(async () => {
  await database.pool.query(
    'DROP SCHEMA IF EXISTS ai CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public',
  );
  folder = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  await mkdir(path.join(folder, 'daodao'));
  await mkdir(path.join(folder, 'ai'));
});

afterEach(() => rm(folder, { recursive: true }));

async function write(file: string, sql: string): Promise<void> {
  await writeFile(path.join(folder, file), sql);
}

async function run(...sets: MigrationSet[]): Promise<string[]> {
  return migrate(database.url, sets, folder);
}

async function tableExists(name: string): Promise<boolean> {
  const { rows } = await database.pool.query<{ found: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS found',
    [name],
  );
  return rows[0]!.found;
}

function refusedWith(pattern: RegExp) {
  return (error: unknown) => error instanceof MigrationError && pattern.test(error.message);
}

test("the project's own migrations run once, the product's tables before ours", async () => {
  assert.deepEqual(await migrate(database.url, ['ai', 'daodao']), [
    'daodao/001_read_model.sql',
    'ai/001_tasks.sql',
    'ai/002_feedback.sql',
    'ai/003_idempotency_keys.sql',
    'ai/004_trailing.sql',
    'ai/005_pruning.sql',
    'ai/006_embeddings.sql',
    'ai/007_events_outbox.sql',
    'ai/008_recommendations.sql',
    'ai/009_schedules.sql',
    'ai/010_refused_events.sql',
    'ai/011_failed_tasks.sql',
    'ai/012_failures.sql',
    'ai/013_limits.sql',
    'ai/014_retries_and_snoozes.sql',
    'ai/015_accept.sql',
    'ai/016_faster_accept.sql',
    'ai/017_unrelated_requests.sql',
    'ai/018_graphs.sql',
  ]);
  assert.deepEqual(await migrate(database.url, ['ai', 'daodao']), []);
});

test("our tables need none of the product's", async () => {
  await migrate(database.url, ['ai']);
  assert.equal(await tableExists('ai.tasks'), true);
  assert.equal(await tableExists('practices'), false);
});

test('of processes that migrate at once, one applies every file and the others find nothing to do', async () => {
  await write('ai/001_slow.sql', 'CREATE TABLE ai.slow (); SELECT pg_sleep(0.2)');
  await write('ai/002_next.sql', 'CREATE TABLE ai.next ()');
  const applied = await Promise.all(Array.from({ length: 5 }, () => run('ai')));
  assert.deepEqual(applied.flat(), ['ai/001_slow.sql', 'ai/002_next.sql']);
  assert.equal(applied.filter((files) => files.length > 0).length, 1);
});

test('files of a set run in the order of their numbers, new ones after old ones', async () => {
  await write('ai/010_second.sql', 'ALTER TABLE ai.numbers ADD COLUMN two integer');
  await write('ai/002_first.sql', 'CREATE TABLE ai.numbers (one integer)');
  assert.deepEqual(await run('ai'), ['ai/002_first.sql', 'ai/010_second.sql']);
  await write('ai/011_third.sql', 'ALTER TABLE ai.numbers ADD COLUMN three integer');
  assert.deepEqual(await run('ai'), ['ai/011_third.sql']);
});

test('a file that changed after it was applied stops everything before it begins', async () => {
  await write('ai/001_one.sql', 'CREATE TABLE ai.one ()');
  await run('ai');
  await write('ai/001_one.sql', 'CREATE TABLE ai.one (id integer)');
  await write('ai/002_two.sql', 'CREATE TABLE ai.two ()');
  await assert.rejects(run('ai'), refusedWith(/ai\/001_one\.sql was changed after it was applied/));
  assert.equal(await tableExists('ai.two'), false);
});

test('an applied file that vanished is an error', async () => {
  await write('ai/001_one.sql', 'CREATE TABLE ai.one ()');
  await run('ai');
  await rm(path.join(folder, 'ai/001_one.sql'));
  await assert.rejects(
    run('ai'),
    refusedWith(/ai\/001_one\.sql was applied, but the file is gone/),
  );
});

test('a new file with a number below an applied one is refused', async () => {
  await write('ai/002_two.sql', 'CREATE TABLE ai.two ()');
  await run('ai');
  await write('ai/001_late.sql', 'CREATE TABLE ai.late ()');
  await assert.rejects(run('ai'), refusedWith(/ai\/001_late\.sql comes too late/));
  assert.equal(await tableExists('ai.late'), false);
});

test('two files with one number, and a file with another kind of name, are refused', async () => {
  await write('ai/001_one.sql', 'SELECT 1');
  await write('ai/001_other.sql', 'SELECT 1');
  await assert.rejects(run('ai'), refusedWith(/share a number/));
  await write('daodao/first.sql', 'SELECT 1');
  await assert.rejects(run('daodao'), refusedWith(/daodao\/first\.sql is not named/));
});

test('a file that fails leaves nothing behind, and runs again once it is mended', async () => {
  await write('ai/001_good.sql', 'CREATE TABLE ai.good ()');
  await write('ai/002_bad.sql', 'CREATE TABLE ai.half (); SELECT 1 / 0');
  await write('ai/003_never.sql', 'CREATE TABLE ai.never ()');
  await assert.rejects(run('ai'), refusedWith(/ai\/002_bad\.sql failed: division by zero/));
  assert.equal(await tableExists('ai.good'), true);
  assert.equal(await tableExists('ai.half'), false);
  assert.equal(await tableExists('ai.never'), false);
  await write('ai/002_bad.sql', 'CREATE TABLE ai.half ()');
  assert.deepEqual(await run('ai'), ['ai/002_bad.sql', 'ai/003_never.sql']);
});

test('what a newer release has applied is no obstacle to a start, what this one needs is', async () => {
  const migrated = await createTestDatabase();
  const { pool } = migrated;
  try {
    await pool.query(
      "INSERT INTO ai.migrations (set, number, name, checksum) VALUES ('ai', 999, '999_newer.sql', 'x')",
    );
    await assertMigrated(pool, ['ai']);
    await pool.query("DELETE FROM ai.migrations WHERE set = 'ai' AND number = 1");
    await assert.rejects(assertMigrated(pool, ['ai']), MigrationError);
  } finally {
    await migrated.drop();
  }
});

test('a seed is for databases that migrations have made, never for those of the product', async () => {
  const migrated = await createTestDatabase();
  try {
    await assertTrial(migrated.pool);
    await migrated.pool.query("DELETE FROM ai.migrations WHERE set = 'daodao'");
    await assert.rejects(assertTrial(migrated.pool), /the product’s own: the seed is for trials/);
  } finally {
    await migrated.drop();
  }
});
