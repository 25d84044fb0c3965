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

  for (const [query, code] of [
    ['SELEC 1', '62'],
    ['SELECT 1; SELECT 2', '62'],
    ['SELECT * FROM nowhere', '60'],
    ['SELECT * FROM nowhere.at_all', '81'],
    ["SELECT 1 SETTINGS no_such_setting = 'x'", '115'],
    ['SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time = 0.2', '159'],
  ] as const) {
    it(`answers code ${code} to ${query}`, async () => {
      const answer = await post({ query });
      assert.equal(answer.status, 500);
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
    assert.equal(bomb.headers.get('x-clickhouse-exception-code'), '229');
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
    assert.equal(answer.headers.get('x-clickhouse-exception-code'), '48');
  });
});
