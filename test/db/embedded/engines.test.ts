import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig, type Config } from '../../../base/config.ts';
import { attachToRunning, resolveConfig } from '../../../db/embedded/engines.ts';
import { resetData } from '../../../db/embedded/host/data-dir.ts';
import { lockDataDir } from '../../../db/embedded/host/lock.ts';
import { isRunning, markProcess, type ProcessMark } from '../../../db/embedded/host/process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'daodao-engines-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ELSEWHERE = {
  ROLE: 'worker',
  DATABASE_URL: 'postgres://user:word@127.0.0.1:9/none',
  CLICKHOUSE_URL: 'http://127.0.0.1:9',
  QDRANT_URL: 'http://127.0.0.1:9',
  OPENAI_API_KEY: 'key',
};

/** A configuration with Redis embedded and all else elsewhere, unless told otherwise. */
function configOf(name: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ ...ELSEWHERE, DATA_DIR: path.join(folder, name), ...env });
}

function stateOf(dataDir: string): { engines: ProcessMark[] } {
  return JSON.parse(readFileSync(path.join(dataDir, 'engines.json'), 'utf8')) as {
    engines: ProcessMark[];
  };
}

test('with every URL set, nothing starts and no folder appears', async () => {
  const config = configOf('untouched', {
    REDIS_URL: 'redis://127.0.0.1:9',
    OPENAI_API_KEY: '',
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
  });
  const resolved = await resolveConfig(config, () => assert.fail('an engine started'));
  assert.deepEqual(resolved.embedded, []);
  assert.equal(resolved.config.redisUrl, 'redis://127.0.0.1:9');
  assert.equal(resolved.config.openaiApiKey, 'none');
  assert.ok(resolved.config.jwtSecurity.length >= 32);
  await resolved.stop();
  assert.equal(existsSync(config.dataDir), false);
});

test('a key alone means the public OpenAI address', async () => {
  const config = configOf('key', { REDIS_URL: 'redis://127.0.0.1:9' });
  const { config: resolved } = await resolveConfig(config, () => undefined);
  assert.equal(resolved.openaiBaseUrl, 'https://api.openai.com/v1');
  assert.equal(resolved.openaiApiKey, 'key');
});

test('an unset URL means embedded: reported when ready, found by others, gone after stop', async () => {
  const config = configOf('embedded');
  const ready: string[] = [];
  const resolved = await resolveConfig(config, ({ name, note }, durationMs) => {
    assert.match(note, /^Redis \d/);
    assert.ok(durationMs >= 0);
    ready.push(name);
  });
  const marks = stateOf(config.dataDir).engines;
  try {
    assert.deepEqual([ready, resolved.embedded], [['redis'], ['redis']]);
    assert.match(resolved.config.redisUrl, /^redis:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(resolved.config.databaseUrl, config.databaseUrl);
    assert.deepEqual(await attachToRunning(config), resolved.config);
    await assert.rejects(
      resolveConfig(config, () => undefined),
      new RegExp(`is used by process ${process.pid}`),
    );
    await assert.rejects(resetData(config), /is used by process/);
  } finally {
    await resolved.stop();
    await resolved.stop();
  }
  assert.deepEqual(marks.map(isRunning), [false]);
  assert.equal(await attachToRunning(config), undefined);
});

test('the secret of the tokens is made once and readable by its owner alone', async () => {
  const config = configOf('secret');
  const secrets = [];
  for (let round = 0; round < 2; round++) {
    const resolved = await resolveConfig(config, () => undefined);
    secrets.push(resolved.config.jwtSecurity);
    await resolved.stop();
  }
  assert.equal(secrets[0], secrets[1]);
  assert.equal(statSync(path.join(config.dataDir, 'jwt-secret')).mode & 0o777, 0o600);
});

test('if one engine does not start, the error names it and the others are stopped', async () => {
  const config = configOf('failing', { DATABASE_URL: '' });
  mkdirSync(path.join(config.dataDir, 'postgres'), { recursive: true });
  writeFileSync(path.join(config.dataDir, 'postgres', 'PG_VERSION'), '9\n');
  const started: ProcessMark[] = [];
  const attempt = resolveConfig(config, ({ pid }) => started.push(markProcess(pid)!));
  await assert.rejects(attempt, /Not every engine started[^]*postgres: .*Postgres 9/);
  assert.deepEqual(started.map(isRunning), [false]);
  assert.equal(existsSync(path.join(config.dataDir, 'engines.json')), false);
});

test('after kill -9 of the owner its engines end, and the next start takes the directory over', async () => {
  const config = configOf('killed', { DATABASE_URL: '' });
  const owner = fork(path.join(import.meta.dirname, 'engines-owner.js'), {
    env: { ...process.env, ...ELSEWHERE, DATABASE_URL: '', DATA_DIR: config.dataDir },
  });
  await once(owner, 'message');
  const marks = stateOf(config.dataDir).engines;
  assert.deepEqual(marks.map(isRunning), [true, true]);
  await assert.rejects(
    resolveConfig(config, () => undefined),
    new RegExp(`is used by process ${owner.pid}`),
  );
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const resolved = await resolveConfig(config, () => undefined);
  assert.deepEqual(marks.map(isRunning), [false, false]);
  await resolved.stop();
});

test('a lock whose number now belongs to another process is stale, and what it lists is ended', async () => {
  const dataDir = path.join(folder, 'stale');
  mkdirSync(dataDir);
  const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    stdio: 'ignore',
  });
  await once(left, 'spawn');
  const engines = [{ ...markProcess(left.pid!)!, signal: 'SIGTERM' }];
  const owner = { pid: process.pid, startedAt: 'earlier' };
  writeFileSync(path.join(dataDir, 'engines.json'), JSON.stringify({ owner, engines, urls: {} }));
  const ended = once(left, 'exit');
  const lock = await lockDataDir(dataDir);
  await ended;
  await assert.rejects(lockDataDir(dataDir), /is used by process/);
  lock.release();
  assert.deepEqual(readdirSync(dataDir), []);
});

test('of many that want the directory at once, one gets it', async () => {
  const dataDir = path.join(folder, 'race');
  const attempts = Array.from({ length: 8 }, () => lockDataDir(dataDir));
  const results = await Promise.allSettled(attempts);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('reset empties the data directory of what the engines put there, and of nothing else', async () => {
  const config = configOf('reset');
  await (await resolveConfig(config, () => undefined)).stop();
  writeFileSync(path.join(config.dataDir, 'diary.txt'), 'mine');
  await resetData(config);
  assert.deepEqual(readdirSync(config.dataDir), ['diary.txt']);
  await assert.rejects(resetData(config), /does not look like a data directory/);
  await resetData({ dataDir: path.join(folder, 'never-made') });
});
