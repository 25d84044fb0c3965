import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPool, isPostgresAway, transaction } from '../../../db/stores/postgres.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

test('a statement that took too long is tried again later', async () => {
  await assert.rejects(
    transaction(database.pool, async (tx) => {
      await tx.query("SET LOCAL statement_timeout = '20ms'");
      return tx.query('SELECT pg_sleep(5)');
    }),
    isPostgresAway,
  );
});

test('a server that became read-only is away, and its connection is not used again', async () => {
  const pool = createPool(database.url, { max: 1, name: 'test' });
  try {
    const removed = new Promise((resolve) => pool.once('remove', resolve));
    await assert.rejects(
      transaction(pool, async (tx) => {
        await tx.query('SET TRANSACTION READ ONLY');
        return tx.query('CREATE TABLE never ()');
      }),
      isPostgresAway,
    );
    await removed;
    assert.deepEqual((await pool.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  } finally {
    await pool.end();
  }
});

test('a server that has no such database, or no longer takes the password, is away', async () => {
  const missing = new URL(database.url);
  missing.pathname = 'not_there_yet';
  const rotated = new URL(database.url);
  rotated.password = 'of yesterday';
  for (const [url, code] of [
    [missing, '3D000'],
    [rotated, '28P01'],
  ] as const) {
    const pool = createPool(url.href, { max: 1, name: 'test' });
    await assert.rejects(pool.query('SELECT 1'), (error) => {
      assert.equal((error as { code?: string }).code, code);
      return isPostgresAway(error);
    });
    await pool.end();
  }
});

test('a network that leads nowhere means that Postgres is away', () => {
  for (const code of ['ENETUNREACH', 'ENETDOWN', 'EHOSTUNREACH', '28000']) {
    assert.equal(isPostgresAway(Object.assign(new Error('connect'), { code })), true, code);
  }
});
