import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import {
  createPool,
  isPostgresAway,
  transaction,
  type Pool,
  type Queryable,
} from '../../../db/stores/postgres.ts';
import { stretched } from '../../support/patience.ts';
import { startFlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

let database: TestDatabase;

before(async () => {
  database = await createTestDatabase();
  await database.pool.query('CREATE TABLE counters (id integer PRIMARY KEY, value integer)');
  await database.pool.query('INSERT INTO counters VALUES (1, 0)');
});

after(() => database.drop());

/** The error of a promise that must fail, and how long it took. */
async function failure(work: Promise<unknown>): Promise<{ error: unknown; afterMs: number }> {
  const startedAt = performance.now();
  try {
    await work;
  } catch (error) {
    return { error, afterMs: performance.now() - startedAt };
  }
  throw new Error('it did not fail');
}

async function withPool<T>(url: string, max: number, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool(url, { max, name: 'pool-under-test' });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

async function kill(pid: number): Promise<void> {
  await database.pool.query('SELECT pg_terminate_backend($1)', [pid]);
}

async function backendPid(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]!.pid;
}

/** An address where something listens that never says a word. */
async function listenSilently(): Promise<{ server: Server; url: string }> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `postgres://nobody@127.0.0.1:${port}/none` };
}

describe('a pool', { concurrency: true }, () => {
  test('tells the server its deadlines and its name', async () => {
    await withPool(database.url, 1, async (pool) => {
      const { rows } = await pool.query(
        `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
           current_setting('idle_in_transaction_session_timeout') AS idle,
           current_setting('application_name') AS name`,
      );
      assert.deepEqual(rows, [
        { lock: '2s', statement: '10s', idle: '5s', name: 'pool-under-test' },
      ]);
    });
  });

  test('gives up a lock after 2 s, which means "later"', async () => {
    const holder = await database.pool.connect();
    try {
      await holder.query('BEGIN; UPDATE counters SET value = 1 WHERE id = 1');
      const { error, afterMs } = await failure(
        database.pool.query('UPDATE counters SET value = 2 WHERE id = 1'),
      );
      assert.ok(isPostgresAway(error), String(error));
      assert.ok(afterMs > 1900, `${afterMs} ms`);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
  });

  test('gives up waiting for a free connection after 3 s, which means "later"', async () => {
    await withPool(database.url, 1, async (pool) => {
      const held = await pool.connect();
      const { error, afterMs } = await failure(pool.query('SELECT 1'));
      held.release();
      assert.ok(isPostgresAway(error), String(error));
      assert.ok(afterMs > 2900, `${afterMs} ms`);
    });
  });

  test('gives up a server that accepts and then is silent after 3 s, which means "later"', async () => {
    const { server, url } = await listenSilently();
    await withPool(url, 1, async (pool) => {
      const { error, afterMs } = await failure(pool.query('SELECT 1'));
      assert.ok(isPostgresAway(error), String(error));
      assert.ok(afterMs > 2900, `${afterMs} ms`);
    });
    server.close();
  });

  test('loses a transaction that was left idle for too long, and its locks are free', async () => {
    await withPool(database.url, 1, async (pool) => {
      await pool.query('INSERT INTO counters VALUES (2, 0)');
      const { error } = await failure(
        transaction(pool, async (tx) => {
          await tx.query(`SET LOCAL idle_in_transaction_session_timeout = '300ms'`);
          await tx.query('UPDATE counters SET value = 1 WHERE id = 2');
          await backendGone(await backendPid(tx));
          await tx.query('SELECT 1');
        }),
      );
      assert.ok(isPostgresAway(error), String(error));
      const { rows } = await pool.query(
        'UPDATE counters SET value = value + 5 WHERE id = 2 RETURNING value',
      );
      assert.deepEqual(rows, [{ value: 5 }]);
    });
  });
});

async function backendGone(pid: number): Promise<void> {
  for (;;) {
    const { rowCount } = await database.pool.query('SELECT FROM pg_stat_activity WHERE pid = $1', [
      pid,
    ]);
    if (rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a transaction', () => {
  test('is rolled back when its work throws, and the error is the one thrown', async () => {
    const thrown = new Error('changed my mind');
    const { error } = await failure(
      transaction(database.pool, async (tx) => {
        await tx.query('INSERT INTO counters VALUES (3, 0)');
        throw thrown;
      }),
    );
    assert.equal(error, thrown);
    const { rowCount } = await database.pool.query('SELECT FROM counters WHERE id = 3');
    assert.equal(rowCount, 0);
  });

  test('whose connection is killed between two queries fails as "later" and spares the process', async () => {
    await withPool(database.url, 1, async (pool) => {
      const { error } = await failure(
        transaction(pool, async (tx) => {
          const pid = await backendPid(tx);
          await kill(pid);
          await backendGone(pid);
          await tx.query('SELECT 1');
        }),
      );
      assert.ok(isPostgresAway(error), String(error));
      assert.deepEqual((await pool.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    });
  });

  test('on a connection that falls silent waits once, not again to roll back', async (t) => {
    const proxy = await startFlakyProxy(t, database.url);
    const url = new URL(database.url);
    url.host = new URL(proxy.url).host;
    // What the URL says comes before the deadline of 12 s.
    url.searchParams.set('query_timeout', String(stretched(1000)));
    await withPool(url.href, 1, async (pool) => {
      const asked: (() => unknown[])[] = [];
      pool.on('connect', (client) => {
        const { mock } = t.mock.method(client, 'query');
        asked.push(() =>
          mock.calls.map((call) => (call.arguments[0] as unknown as { text: string }).text),
        );
      });
      const { error } = await failure(
        transaction(pool, async (tx) => {
          await tx.query('SELECT 1');
          proxy.mode = 'hold';
          await tx.query('SELECT 2');
        }),
      );
      assert.ok(isPostgresAway(error), String(error));
      assert.deepEqual(
        asked.map((texts) => texts()),
        [['BEGIN', 'SELECT 1', 'SELECT 2']],
      );
      assert.equal(pool.totalCount, 0);
    });
  });
});

describe('"Postgres is away"', () => {
  test('is true of a connection killed under a query', async () => {
    await withPool(database.url, 1, async (pool) => {
      const pid = await backendPid(pool);
      const query = failure(pool.query('SELECT pg_sleep(8)'));
      await kill(pid);
      const { error } = await query;
      assert.ok(isPostgresAway(error), String(error));
    });
  });

  test('is no matter for a connection killed while nobody used it', async () => {
    await withPool(database.url, 1, async (pool) => {
      const pid = await backendPid(pool);
      const removed = new Promise((resolve) => pool.once('remove', resolve));
      await kill(pid);
      await removed;
      assert.deepEqual((await pool.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    });
  });

  test('is true of a port where nobody listens', async () => {
    const { server, url } = await listenSilently();
    await new Promise((resolve) => server.close(resolve));
    await withPool(url, 1, async (pool) => {
      const { error } = await failure(pool.query('SELECT 1'));
      assert.ok(isPostgresAway(error), String(error));
    });
  });

  test('is false of statements that are wrong and of errors from elsewhere', async () => {
    for (const text of ['SELEKT 1', 'SELECT * FROM nowhere', 'SELECT 1 / 0']) {
      const { error } = await failure(database.pool.query(text));
      assert.equal(isPostgresAway(error), false, String(error));
    }
    assert.equal(isPostgresAway(new Error('something else')), false);
    assert.equal(isPostgresAway('Connection terminated'), false);
  });
});
