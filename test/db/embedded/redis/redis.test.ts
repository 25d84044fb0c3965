import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { loadConfig } from '../../../../base/config.ts';
import { isRunning, markProcess } from '../../../../db/embedded/host/process.ts';
import { installHint } from '../../../../db/embedded/redis/binary.ts';
import { startRedis } from '../../../../db/embedded/redis/start.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'daodao-redis-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { cacheDir } = loadConfig();

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  client.on('error', () => undefined);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

test('Redis keeps a key over a restart and evicts nothing', async () => {
  const dataDir = path.join(folder, 'restart');
  const first = await startRedis({ dataDir, cacheDir });
  const mark = markProcess(first.pid)!;
  await withClient(first.url, (client) => client.set('kept', '島島'));
  await first.stop();
  await first.stop();
  assert.equal(isRunning(mark), false);

  const second = await startRedis({ dataDir, cacheDir });
  try {
    await withClient(second.url, async (client) => {
      assert.equal(await client.get('kept'), '島島');
      assert.match(await client.info('memory'), /maxmemory_policy:noeviction/);
      assert.match(await client.info('persistence'), /aof_enabled:1/);
    });
  } finally {
    await second.stop();
  }
});

test('a Redis still running on the same data is ended before the next one starts', async () => {
  const dataDir = path.join(folder, 'orphan');
  const orphan = await startRedis({ dataDir, cacheDir });
  const mark = markProcess(orphan.pid)!;
  await withClient(orphan.url, (client) => client.set('kept', '1'));
  const next = await startRedis({ dataDir, cacheDir });
  try {
    assert.equal(isRunning(mark), false);
    assert.equal(await withClient(next.url, (client) => client.get('kept')), '1');
  } finally {
    await next.stop();
    await orphan.stop();
  }
});

test('where redis-server cannot be fetched, the message says what to run', () => {
  assert.match(installHint('darwin', 'darwin'), /brew install redis/);
  assert.match(installHint('fedora-41', 'linux'), /dnf install redis/);
  assert.match(installHint('ubuntu-22.04', 'linux'), /packages\.redis\.io/);
  assert.match(installHint('debian-12', 'linux'), /apt-get install redis-server/);
  assert.match(installHint('win32', 'win32'), /WSL/);
});
