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

test('a transaction that has swallowed the failure of a statement is not taken for committed', async () => {
  const work = transaction(database.pool, async (tx) => {
    await tx.query('CREATE TABLE swallowed (id int)');
    await tx.query('SELECT 1 / 0').catch(() => undefined);
  });
  await assert.rejects(work, /had failed/);
});
