import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { linkLibraries } from '../../../../db/embedded/postgres/binaries.ts';
import { startPostgres } from '../../../../db/embedded/postgres/start.ts';
import { isRunning, markProcess } from '../../../../db/embedded/host/process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'daodao-postgres-'));
// Open to others, as a checkout is, so that only the test about it meets a closed one.
chmodSync(folder, 0o755);
/** Where nothing else is needed, tests start one after the other on the same data: to make it takes longest. */
const dataDir = path.join(folder, 'shared');
after(() => rmSync(folder, { recursive: true, force: true }));

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('Postgres starts, speaks UTF-8, and keeps its rows over a restart', async () => {
  const first = await startPostgres({ dataDir });
  const mark = markProcess(first.pid)!;
  await query(first.url, `CREATE TABLE note AS SELECT '島島' AS text`);
  await first.stop();
  await first.stop();
  assert.equal(isRunning(mark), false);
  assert.equal(existsSync(path.join(dataDir, 'postgres', 'postmaster.pid')), false);

  const second = await startPostgres({ dataDir });
  try {
    const rows = await query(
      second.url,
      `SELECT text, char_length(text) AS length, upper('é') AS upper, current_setting('fsync') AS fsync FROM note`,
    );
    assert.deepEqual(rows, [{ text: '島島', length: 2, upper: 'É', fsync: 'on' }]);
  } finally {
    await second.stop();
  }
});

test('Postgres asks for the password, even on loopback', async () => {
  const engine = await startPostgres({ dataDir });
  try {
    const url = new URL(engine.url);
    url.password = 'guess';
    await assert.rejects(query(url.href, 'SELECT 1'), { code: '28P01' });
  } finally {
    await engine.stop();
  }
});

test('Postgres starts again after kill -9, with what was committed', async () => {
  const first = await startPostgres({ dataDir });
  await query(first.url, 'CREATE TABLE killed AS SELECT 1 AS n');
  process.kill(first.pid, 'SIGKILL');
  await first.stop();
  assert.ok(existsSync(path.join(dataDir, 'postgres', 'postmaster.pid')));

  const second = await startPostgres({ dataDir });
  try {
    assert.deepEqual(await query(second.url, 'SELECT n FROM killed'), [{ n: 1 }]);
  } finally {
    await second.stop();
  }
});

test('a pid file whose number now belongs to another process does not block the start', async () => {
  const first = await startPostgres({ dataDir });
  const pidFile = path.join(dataDir, 'postgres', 'postmaster.pid');
  const left = readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.pid));
  await first.stop();
  writeFileSync(pidFile, left);

  const second = await startPostgres({ dataDir });
  await second.stop();
});

test('a server still running on the same data is ended before the next one starts', async () => {
  const orphan = await startPostgres({ dataDir });
  const mark = markProcess(orphan.pid)!;
  await query(orphan.url, 'CREATE TABLE orphaned AS SELECT 1 AS n');
  const next = await startPostgres({ dataDir });
  try {
    assert.equal(isRunning(mark), false);
    assert.deepEqual(await query(next.url, 'SELECT n FROM orphaned'), [{ n: 1 }]);
  } finally {
    await next.stop();
    await orphan.stop();
  }
});

test('a first start that was interrupted leaves nothing that blocks the next', async () => {
  const own = path.join(folder, 'interrupted');
  mkdirSync(path.join(own, 'postgres.new.half', 'base'), { recursive: true });
  writeFileSync(path.join(own, 'postgres.new.half.password'), 'half');
  const engine = await startPostgres({ dataDir: own });
  await engine.stop();
  assert.deepEqual(readdirSync(own), ['postgres', 'postgres.log']);
});

test('data of another major version is refused with a way out', async () => {
  const older = path.join(folder, 'older');
  mkdirSync(path.join(older, 'postgres'), { recursive: true });
  writeFileSync(path.join(older, 'postgres', 'PG_VERSION'), '9\n');
  await assert.rejects(
    startPostgres({ dataDir: older }),
    /made by Postgres 9.*npm run cli -- reset/,
  );
});

test('in a folder closed to others, Postgres runs all the same', async () => {
  const closed = path.join(folder, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const engine = await startPostgres({ dataDir: path.join(closed, 'data') });
  try {
    assert.deepEqual(await query(engine.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    assert.equal(statSync(closed).mode & 0o777, 0o700);
  } finally {
    await engine.stop();
  }
});

/** A package as npm unpacks it: the libraries, and the list of links it could not carry. */
function fakePackage(name: string): string {
  const root = path.join(folder, name);
  mkdirSync(path.join(root, 'native/lib'), { recursive: true });
  writeFileSync(path.join(root, 'native/lib/libpq.so.5.18'), 'library');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  writeFileSync(path.join(root, 'native/pg-symlinks.json'), JSON.stringify(links));
  return root;
}

test('library links that npm did not make are made', () => {
  const root = fakePackage('package');
  assert.deepEqual(linkLibraries(root, path.join(folder, 'unused')), {});
  assert.equal(readlinkSync(path.join(root, 'native/lib/libpq.so.5')), 'libpq.so.5.18');
  assert.deepEqual(linkLibraries(root, path.join(folder, 'unused')), {});
  assert.equal(existsSync(path.join(folder, 'unused')), false);
});

test('library links go to a spare folder when the package is read-only', () => {
  const root = fakePackage('read-only');
  const spare = path.join(folder, 'spare', 'libraries');
  mkdirSync(path.dirname(spare));
  chmodSync(path.dirname(spare), 0o777);
  chmodSync(path.join(root, 'native/lib'), 0o555);
  const isRoot = process.geteuid?.() === 0;
  // Permissions do not bind root, so it lays its rights down for a moment.
  if (isRoot) process.seteuid?.(65534);
  try {
    const env = linkLibraries(root, spare);
    assert.match(Object.values(env)[0] ?? '', new RegExp(`^${spare}`));
    assert.equal(readFileSync(path.join(spare, 'libpq.so.5'), 'utf8'), 'library');
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(path.join(root, 'native/lib'), 0o755);
  }
});
