import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startClickhouse } from '../../../../db/embedded/clickhouse/start.ts';
import type { Engine } from '../../../../db/embedded/host/engine.ts';

describe('the embedded ClickHouse, over plain HTTP', () => {
  let dataDir: string;
  let engine: Engine;

  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'clickhouse-'));
    engine = await startClickhouse({ dataDir });
  });

  after(async () => {
    await engine.stop();
    await rm(dataDir, { recursive: true });
  });

  async function post(search: Record<string, string>, body: string | Buffer = '') {
    const headers = typeof body === 'string' ? {} : { 'Content-Encoding': 'gzip' };
    return fetch(`${engine.url}/?${new URLSearchParams(search).toString()}`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
  }

  it('describes results in headers', async () => {
    const answer = await post({ query_id: 'one', default_format: 'JSON' }, 'SELECT 1 FORMAT CSV');
    assert.equal(await answer.text(), '1\n');
    assert.equal(answer.headers.get('x-clickhouse-query-id'), 'one');
    assert.equal(answer.headers.get('x-clickhouse-format'), 'CSV');
    assert.match(answer.headers.get('x-clickhouse-summary') ?? '', /"read_rows":"1"/);
  });

  for (const [query, status, code] of [
    ['SELEC 1', 400, '62'],
    ['SELECT 1; SELECT 2', 400, '62'],
    ['SELECT * FROM nowhere', 404, '60'],
    ['SELECT * FROM nowhere.at_all', 404, '81'],
    ["SELECT 1 SETTINGS no_such_setting = 'x'", 404, '115'],
    ['SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time = 0.2', 408, '159'],
  ] as const) {
    it(`answers ${status} and code ${code} to ${query}`, async () => {
      const answer = await post({ query });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('x-clickhouse-exception-code'), code);
      assert.match(
        await answer.text(),
        new RegExp(`^Code: ${code}\\. DB::Exception: .+\\([A-Z_]+\\)`),
      );
    });
  }

  it('bounds every query in time, also one that asks for no bound', async () => {
    const query = "SELECT getSetting('max_execution_time')";
    assert.equal(await (await post({ query })).text(), '30\n');
    assert.equal(await (await post({ query, max_execution_time: '0' })).text(), '30\n');
    assert.equal(await (await post({ query, max_execution_time: '3' })).text(), '3\n');
  });

  it('unpacks gzip, and refuses a small body that unpacks to a huge one', async () => {
    assert.equal(await (await post({}, gzipSync('SELECT 7'))).text(), '7\n');
    const bomb = await post({}, gzipSync(Buffer.alloc(40 * 1024 * 1024, ' ')));
    assert.equal(bomb.status, 413);
  });

  it('lets a GET read but not write', async () => {
    const get = async (query: string) =>
      fetch(`${engine.url}/?${new URLSearchParams({ query }).toString()}`);
    assert.equal(await (await get('SELECT 1')).text(), '1\n');
    const refused = await get('CREATE TABLE default.by_get (n Int8) ENGINE = Memory');
    assert.equal(refused.headers.get('x-clickhouse-exception-code'), '164');
  });

  it('refuses sessions rather than to pretend it has them', async () => {
    const answer = await post({ session_id: 'mine' }, 'SELECT 1');
    assert.equal(answer.status, 501);
  });
});
