/**
 * What is for operators is made once, whoever asks how often, and may be for admins alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gauge } from 'prom-client';
import { buildOperations } from '../../../api/index.ts';
import { bearer, config, createWorld, open, OWNER } from '../fixture.ts';

test('metrics are collected at most once a second', async (t) => {
  const world = createWorld();
  let collections = 0;
  const counting: Gauge = new Gauge({
    name: 'test_collections',
    help: 'Collections so far.',
    registers: [world.deps.metrics],
    collect() {
      counting.set(++collections);
    },
  });
  const app = await open(t, world);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const read = async () =>
    /^test_collections (\d+)$/m.exec((await app.inject('/metrics')).body)?.[1];
  assert.deepEqual(await Promise.all([read(), read(), read()]), ['1', '1', '1']);
  t.mock.timers.tick(999);
  assert.equal(await read(), '1');
  t.mock.timers.tick(1);
  assert.equal(await read(), '2');
});

test('the description is made once', async (t) => {
  const app = await open(t, createWorld());
  const first = await app.inject('/openapi.json');
  assert.match(String(first.headers['content-type']), /^application\/json/);
  const stringify = t.mock.method(JSON, 'stringify');
  const second = await app.inject('/openapi.json');
  const described = stringify.mock.calls.filter(
    ({ arguments: [value] }) => typeof value === 'object' && value !== null && 'paths' in value,
  );
  assert.equal(described.length, 0);
  assert.equal(second.body, first.body);
  const copy = await app.inject('/docs/json');
  assert.deepEqual([copy.statusCode, copy.headers.location], [302, '/openapi.json']);
  assert.equal((await app.inject('/docs/yaml')).statusCode, 302);
});

test('with OPERATIONS_ACCESS=admin the port of the API tells only admins, and health tells everybody', async (t) => {
  const world = createWorld();
  world.deps.config = config({ operationsAccess: 'admin' });
  const app = await open(t, world);
  const [member, admin] = [await bearer(), await bearer({ ...OWNER, roles: ['admin'] })];
  for (const url of [
    '/metrics',
    '/openapi.json',
    '/docs',
    '/docs/static/index.css',
    '/docs/json',
  ]) {
    assert.equal((await app.inject(url)).statusCode, 401, url);
    assert.equal((await app.inject({ url, headers: member })).statusCode, 403, url);
    assert.ok((await app.inject({ url, headers: admin })).statusCode < 400, url);
  }
  for (const url of ['/health', '/ready', '/api/v1/ping']) {
    assert.equal((await app.inject(url)).statusCode, 200, url);
  }
});

test('the port for operations tells everybody', async (t) => {
  const world = createWorld();
  world.deps.config = config({ operationsAccess: 'admin' });
  const app = await buildOperations(world.deps);
  t.after(() => app.close());
  assert.equal((await app.inject('/metrics')).statusCode, 200);
});
