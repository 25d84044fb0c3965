import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Redis } from 'ioredis';
import { loadConfig, type ResolvedConfig } from '../../../base/config.ts';
import type { Engine } from '../../../db/embedded/host/engine.ts';
import { freePort } from '../../../db/embedded/host/port.ts';
import { startPostgres } from '../../../db/embedded/postgres/start.ts';
import { startRedis } from '../../../db/embedded/redis/start.ts';
import { checkModel, checkStores, StoresUnreachableError } from '../../../db/stores/reachable.ts';
import { HANG_MS } from '../../support/patience.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'daodao-reachable-'));
let postgres: Engine;
let redis: Engine;
/** Answers as ClickHouse and Qdrant do when all is well, and refuses one key. */
const http = createHttpServer((request, response) => {
  const key = request.headers['x-clickhouse-key'] ?? request.headers['api-key'];
  response.statusCode = key === 'wrong-secret' ? 403 : 200;
  const answer = request.url === '/collections' ? '{"result":{"collections":[]}}' : '1\n';
  response.end(key === 'wrong-secret' ? 'no access with wrong-secret' : answer);
});
/** Answers everything, as web servers do. */
const web = createHttpServer((_, response) => response.end('<html>hi</html>'));
let httpUrl: string;
let webUrl: string;

before(async () => {
  const { cacheDir } = loadConfig();
  [postgres, redis] = await Promise.all([
    startPostgres({ dataDir }),
    startRedis({ dataDir, cacheDir }),
  ]);
  httpUrl = `http://127.0.0.1:${await listen(http)}`;
  webUrl = `http://127.0.0.1:${await listen(web)}`;
});
after(async () => {
  for (const server of [http, web]) {
    server.closeAllConnections();
    server.close();
  }
  await Promise.all([postgres.stop(), redis.stop()]);
  rmSync(dataDir, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A configuration of stores that all answer, but for what is given. */
function configWith(changes: Partial<ResolvedConfig> = {}): ResolvedConfig {
  return {
    ...loadConfig({}),
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    clickhouseUrl: httpUrl,
    qdrantUrl: httpUrl,
    openaiBaseUrl: 'http://127.0.0.1:9/v1',
    openaiApiKey: 'none',
    jwtSecurity: 'secret',
    ...changes,
  };
}

async function problemsOf(
  config: ResolvedConfig,
  { embedded = [] as string[], deadlineMs = HANG_MS } = {},
): Promise<string[]> {
  try {
    await checkStores(config, embedded, deadlineMs);
    return [];
  } catch (error) {
    assert.ok(error instanceof StoresUnreachableError);
    assert.doesNotMatch(error.message, /word-of-secrets|wrong-secret/);
    return [...error.problems];
  }
}

test('stores that answer pass', async () => {
  assert.deepEqual(await problemsOf(configWith()), []);
});

test('every store that does not answer is named with its variable, its address and the reason', async () => {
  const port = await freePort();
  const at = `127.0.0.1:${port}`;
  const problems = await problemsOf(
    configWith({
      databaseUrl: `postgres://user:word-of-secrets@${at}/db`,
      redisUrl: `redis://:word-of-secrets@${at}`,
      clickhouseUrl: `http://user:word-of-secrets@${at}`,
      qdrantUrl: `http://${at}`,
    }),
  );
  const why = 'nothing listens there (ECONNREFUSED)';
  assert.deepEqual(problems, [
    `Postgres (DATABASE_URL) at ${at}: ${why}`,
    `Redis (REDIS_URL) at ${at}: ${why}`,
    `ClickHouse (CLICKHOUSE_URL) at ${at}: ${why}`,
    `Qdrant (QDRANT_URL) at ${at}: ${why}`,
  ]);
});

test('a port that HTTP clients keep off is told as such', async () => {
  const [clickhouseUrl, qdrantUrl] = ['http://127.0.0.1:1', 'http://127.0.0.1:6667'];
  const why = 'HTTP clients refuse to use this port (bad port)';
  assert.deepEqual(await problemsOf(configWith({ clickhouseUrl, qdrantUrl })), [
    `ClickHouse (CLICKHOUSE_URL) at 127.0.0.1:1: ${why}`,
    `Qdrant (QDRANT_URL) at 127.0.0.1:6667: ${why}`,
  ]);
});

test('embedded engines are not asked', async () => {
  const config = configWith({ redisUrl: 'redis://127.0.0.1:9' });
  assert.deepEqual(await problemsOf(config, { embedded: ['redis'] }), []);
});

test('a server that takes the connection and says nothing is given up on when the time is over', async () => {
  const silent = createServer();
  const port = await listen(silent);
  const sockets = new Set<{ destroy(): unknown }>();
  silent.on('connection', (socket) => sockets.add(socket));
  try {
    const at = `127.0.0.1:${port}`;
    const problems = await problemsOf(
      configWith({
        databaseUrl: `postgres://user:word-of-secrets@${at}/db`,
        redisUrl: `redis://:word-of-secrets@${at}`,
        clickhouseUrl: `http://${at}`,
        qdrantUrl: `http://${at}`,
      }),
      { deadlineMs: 500 },
    );
    const why = 'no answer within 0.5 s';
    assert.deepEqual(problems, [
      `Postgres (DATABASE_URL) at ${at}: ${why}`,
      `Redis (REDIS_URL) at ${at}: ${why}`,
      `ClickHouse (CLICKHOUSE_URL) at ${at}: ${why}`,
      `Qdrant (QDRANT_URL) at ${at}: ${why}`,
    ]);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

test('a wrong password is told as such, and never shown', async () => {
  const url = new URL(postgres.url);
  url.password = 'word-of-secrets';
  const problems = await problemsOf(
    configWith({
      databaseUrl: url.href,
      clickhouseUrl: httpUrl.replace('//', '//user:wrong-secret@'),
      qdrantApiKey: 'wrong-secret',
    }),
  );
  assert.equal(problems.length, 3);
  assert.match(problems[0]!, /^Postgres .*password authentication failed/);
  assert.match(problems[1]!, /^ClickHouse .*HTTP 403 \(the credentials are refused\)/);
  assert.match(problems[2]!, /^Qdrant .*HTTP 403/);
});

test('a Redis that may evict jobs, or is a replica, is refused', async () => {
  const client = new Redis(redis.url);
  try {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    assert.match((await problemsOf(configWith()))[0]!, /maxmemory-policy is allkeys-lru/);
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    await client.replicaof('127.0.0.1', await freePort());
    assert.match((await problemsOf(configWith()))[0]!, /it is a replica/);
    await client.replicaof('NO', 'ONE');
    assert.deepEqual(await problemsOf(configWith()), []);
  } finally {
    client.disconnect();
  }
});

test('a web server is neither ClickHouse nor Qdrant', async () => {
  const at = new URL(webUrl).host;
  assert.deepEqual(await problemsOf(configWith({ clickhouseUrl: webUrl, qdrantUrl: webUrl })), [
    `ClickHouse (CLICKHOUSE_URL) at ${at}: the server there is not ClickHouse`,
    `Qdrant (QDRANT_URL) at ${at}: the server there is not Qdrant`,
  ]);
});

test('a Redis database that does not exist is told, not replaced by database 0', async () => {
  assert.deepEqual(await problemsOf(configWith({ redisUrl: `${redis.url}/15` })), []);
  const [problem] = await problemsOf(configWith({ redisUrl: `${redis.url}/99` }));
  assert.match(problem ?? '', /^Redis \(REDIS_URL\) at .*DB index is out of range/);
});

test('a model that does not answer, or refuses the key, is told with its variable', async () => {
  const problem = (changes: Partial<ResolvedConfig>) => checkModel(configWith(changes), []);
  const port = await freePort();
  assert.equal(
    await problem({ openaiBaseUrl: `http://127.0.0.1:${port}/v1` }),
    `The language model (OPENAI_BASE_URL) at 127.0.0.1:${port}: nothing listens there (ECONNREFUSED)`,
  );
  const picky = createHttpServer((request, response) => {
    response.statusCode = request.headers.authorization === 'Bearer right' ? 404 : 401;
    response.end('no');
  });
  const openaiBaseUrl = `http://127.0.0.1:${await listen(picky)}/v1`;
  try {
    assert.match((await problem({ openaiBaseUrl })) ?? '', /OPENAI_API_KEY is refused/);
    assert.equal(await problem({ openaiBaseUrl, openaiApiKey: 'right' }), undefined);
    assert.equal(await checkModel(configWith({ openaiBaseUrl }), ['coach']), undefined);
  } finally {
    picky.closeAllConnections();
    picky.close();
  }
});
