import assert from 'node:assert/strict';
import { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectClickhouse, type Clickhouse } from '../../../../db/stores/clickhouse.ts';
import { startClickhouse } from '../../../../db/embedded/clickhouse/start.ts';
import type { Engine } from '../../../../db/embedded/host/engine.ts';

describe('the embedded ClickHouse, through the official client', () => {
  let dataDir: string;
  let engine: Engine;
  let client: Clickhouse;

  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'clickhouse-'));
    await start();
  });

  after(async () => {
    await stop();
    await rm(dataDir, { recursive: true });
  });

  async function start(): Promise<void> {
    engine = await startClickhouse({ dataDir });
    client = await connectClickhouse({ clickhouseUrl: engine.url });
  }

  async function stop(): Promise<void> {
    await client.close();
    await engine.stop();
  }

  async function rows<T>(query: string, parameters: Record<string, unknown> = {}): Promise<T[]> {
    const answer = await client.query({
      query,
      query_params: parameters,
      format: 'JSONEachRow',
    });
    return answer.json<T>();
  }

  async function numbersTable(count: number): Promise<string> {
    const table = `default.numbers_${randomUUID().replaceAll('-', '')}`;
    await client.command({
      query: `CREATE TABLE ${table} (n UInt32) ENGINE = MergeTree ORDER BY n`,
    });
    const values = Array.from({ length: count }, (_, n) => ({ n }));
    await client.insert({ table, values, format: 'JSONEachRow' });
    return table;
  }

  it('answers pings and says what it is', async () => {
    assert.deepEqual(await client.ping(), { success: true });
    assert.deepEqual(await client.ping({ select: true }), { success: true });
    assert.match(engine.note, /^ClickHouse \d+\.\d+.*chdb/);
  });

  it('creates a table and takes rows', async () => {
    const table = await numbersTable(0);
    const values = [{ n: 1 }, { n: 2 }, { n: 3 }];
    await client.insert({ table, values, format: 'JSONEachRow' });
    assert.deepEqual(await rows(`SELECT n FROM ${table} ORDER BY n`), [
      { n: 1 },
      { n: 2 },
      { n: 3 },
    ]);
  });

  it('takes a semicolon or a quote in inserted text as text', async () => {
    const table = `default.texts_${randomUUID().replaceAll('-', '')}`;
    await client.command({ query: `CREATE TABLE ${table} (s String) ENGINE = Memory` });
    const values = [{ s: `it's; DROP TABLE ${table}; -- "島"\n` }];
    await client.insert({ table, values, format: 'JSONEachRow' });
    assert.deepEqual(await rows(`SELECT s FROM ${table}`), values);
  });

  it('gives parameters back unchanged, whatever they hold', async () => {
    for (const text of [
      '',
      "it's",
      '\\',
      "\\'",
      '\t\n\r',
      '\\N',
      '島 🏝',
      '; DROP TABLE x --',
      '{a:Int8}',
    ]) {
      const query = 'SELECT {text: String} AS text, {list: Array(String)} AS list';
      assert.deepEqual(await rows(query, { text, list: [text, 'b'] }), [
        { text, list: [text, 'b'] },
      ]);
    }
  });

  it('refuses a query whose parameter is missing, even after one that had it', async () => {
    const query = 'SELECT {missing: String} AS value';
    for (let i = 0; i < 10; i++) await rows(query, { missing: 'here' });
    await assert.rejects(rows(query), { code: '456', type: 'UNKNOWN_QUERY_PARAMETER' });
  });

  it('keeps no setting and no database for the next query', async () => {
    const query = "SELECT getSetting('max_block_size') AS size, currentDatabase() AS db";
    await client.query({ query: 'SELECT 1', clickhouse_settings: { max_block_size: '7' } });
    await client.command({ query: 'USE system' });
    const [found] = await rows<{ size: unknown; db: string }>(query);
    assert.notEqual(Number(found?.size), 7);
    assert.equal(found?.db, 'default');
  });

  it('gives a clean result after a query that failed half way through its output', async () => {
    const failing =
      'SELECT throwIf(number = 3) AS bad FROM numbers(10) SETTINGS max_block_size = 1';
    for (let i = 0; i < 20; i++) {
      await assert.rejects(rows(failing), { code: '395' });
      assert.deepEqual(await rows('SELECT 5 AS good'), [{ good: 5 }]);
    }
  });

  it('answers concurrent queries each with its own parameters', async () => {
    const table = await numbersTable(1000);
    const query = `SELECT count() AS count, {id: UInt32} AS id FROM ${table} WHERE n < {id: UInt32}`;
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, id) => rows<{ count: unknown; id: number }>(query, { id })),
    );
    assert.deepEqual(
      answers.map(([row]) => [Number(row?.count), row?.id]),
      Array.from({ length: 40 }, (_, id) => [id, id]),
    );
  });

  it('keeps its data over a restart and leaves no process behind', async () => {
    const table = await numbersTable(12);
    const { pid } = engine;
    await stop();
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    await start();
    assert.deepEqual(await rows(`SELECT toUInt32(count()) AS count FROM ${table}`), [
      { count: 12 },
    ]);
  });

  it('answers the query under way before it stops', async (t) => {
    // What does not stop of itself is killed in the end.
    const { mock } = t.mock.method(ChildProcess.prototype, 'kill');
    const answer = rows('SELECT sleepEachRow(0.4) AS slept FROM numbers(2)');
    const stopping = waitUntilRunning().then(() => engine.stop());
    assert.deepEqual(await answer, [{ slept: 0 }, { slept: 0 }]);
    await stopping;
    assert.equal(mock.callCount(), 0);
    await client.close();
    await start();
  });

  /** Resolves once the server has a query in hand: this one runs beside it. */
  async function waitUntilRunning(): Promise<void> {
    const query = "SELECT count() > 0 AS busy FROM system.processes WHERE query LIKE '%slept%'";
    for (;;) {
      const [found] = await rows<{ busy: number }>(`${query} AND query NOT LIKE '%busy%'`);
      if (found?.busy === 1) return;
    }
  }

  it('says why a second engine cannot have the same folder', async () => {
    await assert.rejects(
      startClickhouse({ dataDir }),
      /did not start: .*another one may be using it/,
    );
  });

  it('names CLICKHOUSE_URL when the optional package is missing', async () => {
    const hook = `export async function resolve(name, context, next) {
      if (name === 'chdb') throw new Error('not installed');
      return next(name, context);
    }`;
    const preload = `import { register } from 'node:module';
      register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hook))});`;
    process.env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(preload)}`;
    const starting = startClickhouse({ dataDir: path.join(dataDir, 'none') });
    delete process.env['NODE_OPTIONS'];
    await assert.rejects(starting, /optional package chdb.*CLICKHOUSE_URL/);
  });
});
