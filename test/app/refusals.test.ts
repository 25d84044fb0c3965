import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { migrate } from '../../db/stores/migrate.ts';
import { freePort } from '../../db/embedded/host/port.ts';
import { startAnswering } from '../support/app/answering.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  type TestDatabase,
} from '../support/stores/postgres.ts';
import { run } from '../support/app/process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'daodao-refusals-'));
let database: TestDatabase;
let answering: Awaited<ReturnType<typeof startAnswering>>;
let sound: Record<string, string>;
before(async () => {
  database = await createTestDatabase();
  answering = await startAnswering();
  sound = {
    PORT: '0',
    DATA_DIR: path.join(folder, 'data'),
    DATABASE_URL: database.url,
    REDIS_URL: process.env['TEST_REDIS_URL']!,
    CLICKHOUSE_URL: answering.url,
    QDRANT_URL: answering.url,
    OPENAI_BASE_URL: `${answering.url}/v1`,
    JWT_SECURITY: 'a secret that only tests know',
  };
});
after(async () => {
  answering.stop();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

function withCanary(url: string): string {
  const changed = new URL(url);
  changed.username ||= 'somebody';
  changed.password = 'canary-password';
  return changed.href;
}

for (const [variable, store, protocol] of [
  ['DATABASE_URL', 'Postgres', 'postgres'],
  ['QDRANT_URL', 'Qdrant', 'http'],
] as const) {
  test(`a ${variable} where nothing listens ends the start, naming it and no password`, async (t) => {
    const url = withCanary(`${protocol}://127.0.0.1:${await freePort()}/name`);
    const main = run(t, 'main.js', { ...sound, [variable]: url });
    assert.equal(await main.ended, 1);
    assert.match(
      main.text(),
      new RegExp(`${store} \\(${variable}\\) at 127\\.0\\.0\\.1:\\d+: nothing`),
    );
    assert.doesNotMatch(main.text(), /canary|^\s+at /m);
  });
}

test('a store that accepts and never answers ends the start as well', async (t) => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  try {
    const url = withCanary(`postgres://127.0.0.1:${port}/name`);
    const main = run(t, 'main.js', { ...sound, DATABASE_URL: url });
    assert.equal(await main.ended, 1);
    assert.match(main.text(), /Postgres \(DATABASE_URL\)/);
    assert.doesNotMatch(main.text(), /canary/);
  } finally {
    silent.close();
  }
});

test("a database without the product's tables ends the start, and the loading of the seed", async (t) => {
  const empty = await createEmptyDatabase();
  try {
    await migrate(empty.url, ['ai']);
    const env = { ...sound, DATABASE_URL: empty.url };
    const sentence =
      /\(DATABASE_URL\) lacks DaoDao's own tables users, practices, practice_checkins: .*migrate --seed/;
    for (const started of [run(t, 'main.js', env), run(t, 'cli/main.js', env, ['seed'])]) {
      assert.equal(await started.ended, 1);
      assert.match(started.text(), sentence);
    }
  } finally {
    await empty.drop();
  }
});

test('a database without our own tables ends the start, with the command that makes them', async (t) => {
  const product = await createEmptyDatabase();
  try {
    await migrate(product.url, ['daodao']);
    const main = run(t, 'main.js', { ...sound, DATABASE_URL: product.url });
    await main.wrote(/lacks ai\/001_tasks\.sql, .*: run npm run cli -- migrate first/);
    assert.equal(await main.ended, 1);
    assert.doesNotMatch(main.text(), /^\s+at /m);
  } finally {
    await product.drop();
  }
});

test('an address that is not of this machine is said, with the variable that changes it', async (t) => {
  const main = run(t, 'main.js', { ...sound, HOST: '256.1.1.1', PORT: '1' });
  assert.equal(await main.ended, 1);
  assert.match(main.text(), /^256\.1\.1\.1 is not an address of this machine\. Set HOST to/m);
});

test('a model that is away is warned of, and keeps nothing from starting', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}/v1`;
  const main = run(t, 'main.js', { ...sound, OPENAI_BASE_URL: url });
  await main.wrote(/model\.unreachable/);
  assert.match(
    main.text(),
    /"problem":"The language model \(OPENAI_BASE_URL\) at 127\.0\.0\.1:\d+: nothing/,
  );
  await main.wrote(/process\.started/);
  main.child.kill('SIGTERM');
  assert.equal(await main.ended, 0, main.text());
});

test('a port in use is said, with the variable that changes it', async (t) => {
  const occupied = createServer();
  occupied.listen(0, '127.0.0.1');
  await once(occupied, 'listening');
  const { port } = occupied.address() as AddressInfo;
  try {
    const main = run(t, 'main.js', { ...sound, PORT: String(port) });
    assert.equal(await main.ended, 1);
    assert.match(main.text(), new RegExp(`Port ${port} .* is already in use.*PORT`));
  } finally {
    occupied.close();
  }
});

test('a port in use is found before an engine is started', async (t) => {
  const occupied = createServer();
  occupied.listen(0, '127.0.0.1');
  await once(occupied, 'listening');
  const { port } = occupied.address() as AddressInfo;
  try {
    const env = { PORT: String(port), DATA_DIR: path.join(folder, 'no-engines') };
    const main = run(t, 'main.js', env);
    assert.equal(await main.ended, 1);
    assert.match(main.text(), new RegExp(`^Port ${port} .* is already in use`));
    assert.ok(!readdirSync(folder).includes('no-engines'));
  } finally {
    occupied.close();
  }
});

test('a data directory that is none is said, with the variable that changes it', async (t) => {
  const file = path.join(folder, 'a-file');
  writeFileSync(file, '');
  for (const dataDir of [file, path.join(file, 'below')]) {
    const main = run(t, 'main.js', { PORT: '0', DATA_DIR: dataDir });
    assert.equal(await main.ended, 1);
    assert.match(main.text(), /^The data directory .* cannot be used \(E\w+\): set DATA_DIR /);
  }
});

test('every unusable setting is told at once, and nothing is started', async (t) => {
  const dataDir = path.join(folder, 'never');
  const main = run(t, 'main.js', {
    ROLE: 'wroker',
    WORKER_THREADS: '0',
    REDIS_ULR: 'redis://127.0.0.1:6379',
    DATA_DIR: dataDir,
  });
  assert.equal(await main.ended, 1);
  assert.match(main.text(), /ROLE must be one of .*Did you mean worker\?/);
  assert.match(main.text(), /WORKER_THREADS must be a whole number from 1/);
  assert.match(main.text(), /REDIS_ULR is not a setting: did you mean REDIS_URL\?/);
  assert.ok(!readdirSync(folder).includes('never'));
});
