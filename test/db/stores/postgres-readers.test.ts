import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPool } from '../../../db/stores/postgres.ts';
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
