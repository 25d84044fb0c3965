import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPool, transaction } from '../../../db/stores/postgres.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

test('options in the URL are kept beside those of the pool, which refuses to write if it is to', async () => {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c work_mem=5MB');
  const pool = createPool(url.href, { max: 1, name: 'reads', readOnly: true });
  try {
    const { rows } = await pool.query(
      `SELECT current_setting('work_mem') AS "workMem", current_setting('tcp_keepalives_idle') AS idle`,
    );
    assert.deepEqual(rows, [{ workMem: '5MB', idle: '5' }]);
    await assert.rejects(pool.query('CREATE TABLE written (id int)'), /read-only/);
  } finally {
    await pool.end();
  }
});

test('a statement with parameters is parsed once for each connection', async () => {
  const pool = createPool(database.url, { max: 1, name: 'repeats' });
  try {
    for (const n of [1, 2, 3]) {
      assert.deepEqual((await pool.query('SELECT $1::int AS n', [n])).rows, [{ n }]);
    }
    const { rows } = await pool.query(
      'SELECT statement, (generic_plans + custom_plans)::int AS runs FROM pg_prepared_statements',
    );
    assert.deepEqual(rows, [{ statement: 'SELECT $1::int AS n', runs: 3 }]);
  } finally {
    await pool.end();
  }
});

test('a statement that was prepared for a small table finds its rows by index when the table has grown', async () => {
  const pool = createPool(database.url, { max: 1, name: 'grows' });
  try {
    await pool.query('CREATE TABLE growing (id int PRIMARY KEY) WITH (autovacuum_enabled = false)');
    await pool.query('INSERT INTO growing VALUES (0)');
    await pool.query('VACUUM ANALYZE growing');
    const find = () => pool.query('SELECT FROM growing WHERE id = $1', [0]);
    // Postgres would settle on a plan after five.
    for (let i = 0; i < 10; i++) await find();
    await pool.query('INSERT INTO growing SELECT generate_series(1, 10000)');
    await find();
    await pool.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await pool.query(
      `SELECT seq_tup_read < 10000 AS few FROM pg_stat_user_tables WHERE relname = 'growing'`,
    );
    assert.deepEqual(rows, [{ few: true }]);
  } finally {
    await pool.end();
  }
});

test('sessions keep generic plans if they are told to', async () => {
  const pool = createPool(database.url, { max: 1, name: 'kept', plans: 'generic' });
  try {
    const find = () => pool.query('SELECT FROM pg_class WHERE oid = $1', [0]);
    for (let i = 0; i < 3; i++) await find();
    const { rows } = await pool.query(
      'SELECT generic_plans::int, custom_plans::int FROM pg_prepared_statements',
    );
    assert.deepEqual(rows, [{ generic_plans: 3, custom_plans: 0 }]);
  } finally {
    await pool.end();
  }
});

test('a transaction that has swallowed the failure of a statement is not taken for committed', async () => {
  const work = transaction(database.pool, async (tx) => {
    await tx.query('CREATE TABLE swallowed (id int)');
    await tx.query('SELECT 1 / 0').catch(() => undefined);
  });
  await assert.rejects(work, /had failed/);
});
