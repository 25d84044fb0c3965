/**
 * Health, readiness, metrics, and the description of it all.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Dependency } from '../../../api/operations/dependencies.ts';
import { buildOperations } from '../../../api/index.ts';
import { ERRORS } from '../../../base/errors.ts';
import { createWorld, open } from '../fixture.ts';

const ok = async () => undefined;
const refused = async () => {
  throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
};
const broken = async () => {
  throw new Error('password "hunter2" is wrong');
};

test('health answers whatever is away', async (t) => {
  const world = createWorld();
  world.deps.readiness = [{ name: 'postgres', needed: true, check: refused }];
  const app = await open(t, world);
  const answer = await app.inject('/health');
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.json(), { status: 'ok' });
});

test('health is 503 only when a restart would mend it', async (t) => {
  const world = createWorld();
  let isStuck = false;
  world.deps.isStuck = () => isStuck;
  const app = await open(t, world);
  assert.equal((await app.inject('/health')).statusCode, 200);
  isStuck = true;
  const answer = await app.inject('/health');
  assert.deepEqual([answer.statusCode, answer.json()], [503, { status: 'stuck' }]);
});

test('a process without the API answers health, readiness and metrics, and nothing else', async (t) => {
  const world = createWorld();
  world.deps.readiness = [{ name: 'consumer', needed: true, check: broken }];
  const { config, telemetry, metrics, readiness } = world.deps;
  const app = await buildOperations({ config, telemetry, metrics, readiness });
  t.after(() => app.close());
  const codes = ['/health', '/ready', '/metrics', `/tasks/${randomUUID()}`].map(
    async (url) => (await app.inject(url)).statusCode,
  );
  assert.deepEqual(await Promise.all(codes), [200, 503, 200, 404]);
  assert.deepEqual((await app.inject('/ready')).json(), {
    status: 'unavailable',
    dependencies: { consumer: 'failed' },
  });
});

test('ready says which dependency is away, and is 503 only when a needed one is', async (t) => {
  const backlog = { tasks: 0, oldest_ms: 0, full: false };
  const cases: [Dependency[], number, object][] = [
    [[], 200, { status: 'ready', dependencies: {}, backlog }],
    [
      [
        { name: 'postgres', needed: true, check: ok },
        { name: 'redis', needed: false, check: refused },
        { name: 'qdrant', needed: false, check: broken },
      ],
      200,
      {
        status: 'ready',
        dependencies: { postgres: 'ok', redis: 'ECONNREFUSED', qdrant: 'failed' },
        backlog,
      },
    ],
    [
      [
        { name: 'postgres', needed: true, check: refused },
        { name: 'redis', needed: false, check: ok },
      ],
      503,
      { status: 'unavailable', dependencies: { postgres: 'ECONNREFUSED', redis: 'ok' }, backlog },
    ],
  ];
  for (const [readiness, status, body] of cases) {
    const world = createWorld();
    world.deps.readiness = readiness;
    const app = await open(t, world);
    const answer = await app.inject('/ready');
    assert.equal(answer.statusCode, status);
    assert.deepEqual(answer.json(), body);
    assert.equal(answer.headers['retry-after'], status === 503 ? '1' : undefined);
  }
});

test('ready does not wait for a dependency that hangs', async (t) => {
  const world = createWorld();
  const hang = () => {
    queueMicrotask(() => t.mock.timers.tick(3000));
    return new Promise<void>(() => undefined);
  };
  world.deps.readiness = [{ name: 'postgres', needed: true, check: hang }];
  const app = await open(t, world);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const answer = await app.inject('/ready');
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json<{ dependencies: object }>().dependencies, {
    postgres: 'timeout',
  });
});

test('metrics are in the text format of Prometheus', async (t) => {
  const app = await open(t, createWorld());
  await app.inject('/health');
  const answer = await app.inject('/metrics');
  assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.match(answer.body, /^daodao_events_total\{event="http.request"\} 1$/m);
});

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: unknown[];
  requestBody?: { required: boolean };
  responses: Record<
    string,
    { content?: Record<string, { example?: unknown; examples?: unknown }> }
  >;
}

test('every route is described: what it is called, what it is for, how it refuses, with examples', async (t) => {
  const app = await open(t, createWorld());
  const document = (await app.inject('/openapi.json')).json<{
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { securitySchemes: object };
  }>();
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(Object.keys(document.components.securitySchemes), [
    'bearer',
    'cookie',
    'internal',
  ]);
  const plain = [
    '/events',
    '/events/progress',
    '/events/time-spent',
    '/events/view',
    '/groups/{id}',
    '/health',
    '/practices/feedback',
    '/practices/{id}/feedback',
    '/schedules',
    '/schedules/preview',
    '/schedules/{name}',
    '/schedules/{name}/run',
    '/tasks/{id}',
    '/users/me/embeddings',
    '/users/me/recommendations',
    '/users/me/recommendations/refresh',
  ];
  const cards = ['', '/{practiceId}/feedback'].map((end) => `/recommendation/topic_cards${end}`);
  const services = ['practice.completed', 'practice.updated', 'user.created', 'user.goals_updated'];
  assert.deepEqual(
    new Set(Object.keys(document.paths)),
    new Set([
      ...plain,
      ...[...plain, ...cards].map((path) => `/api/v1${path}`),
      ...services.map((event) => `/internal/events/${event}`),
      '/metrics',
      '/openapi.json',
      '/ready',
    ]),
  );
  const ids = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const name = `${method} ${path}`;
      assert.ok(operation.operationId, name);
      assert.ok(!ids.has(operation.operationId), `${name} shares its operationId`);
      ids.add(operation.operationId);
      assert.ok(operation.summary, name);
      assert.ok(operation.tags?.length, name);
      const refusals = Object.keys(operation.responses).filter((status) => status.startsWith('4'));
      if (operation.security?.length !== 0) assert.ok(refusals.includes('401'), name);
      else assert.deepEqual(refusals, [], `${name} takes nothing that could be refused`);
      for (const status of refusals) {
        const content = operation.responses[status]?.content?.['application/json'];
        assert.ok(content?.example ?? content?.examples, `${name} ${status} has no example`);
      }
    }
  }
  assert.equal(document.paths['/practices/{id}/feedback']?.['post']?.requestBody?.required, false);
});

test('every code a route documents is answered with the status it is documented under', async (t) => {
  const app = await open(t, createWorld());
  const { paths } = (await app.inject('/openapi.json')).json<{
    paths: Record<string, Record<string, Operation>>;
  }>();
  const text = JSON.stringify(paths);
  const codes = Object.keys(ERRORS).filter((code) => text.includes(`"${code}"`));
  assert.ok(codes.includes('PRACTICE_NOT_COMPLETED'));
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    for (const [status, response] of Object.entries(operation.responses)) {
      const shown = JSON.stringify(response);
      for (const code of codes.filter((known) => shown.includes(`"${known}"`))) {
        assert.equal(ERRORS[code as keyof typeof ERRORS].status, Number(status), code);
      }
    }
  }
});

test('the docs page needs nothing but this server', async (t) => {
  const app = await open(t, createWorld());
  for (const url of ['/docs', '/docs/']) {
    const page = await app.inject(url);
    assert.equal(page.statusCode, 200);
    const linked = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    assert.ok(linked.length >= 5);
    for (const link of linked) {
      assert.doesNotMatch(link, /^(?:https?:)?\/\//, 'a link to another host');
      const path = link.startsWith('./') ? `/docs/${link.slice(2)}` : link;
      assert.equal((await app.inject(path)).statusCode, 200, path);
    }
    assert.match(String(page.headers['content-security-policy']), /^default-src 'self';/);
  }
  const script = (await app.inject('/docs/static/swagger-initializer.js')).body;
  assert.match(script, /"validatorUrl":\s*null/);
});

test('the docs are where one looks first, and under our name', async (t) => {
  const app = await open(t, createWorld());
  const root = await app.inject('/');
  assert.deepEqual([root.statusCode, root.headers.location], [302, '/docs']);
  assert.match((await app.inject('/docs')).body, /<title>DaoDao AI back end<\/title>/);
  const script = (await app.inject('/docs/static/swagger-initializer.js')).body;
  assert.match(script, /"url":\s*"\/openapi\.json"/);
  const [, logo = ''] = /data:image\/svg\+xml;base64,([\w+/=]+)/.exec(script) ?? [];
  assert.match(Buffer.from(logo, 'base64').toString(), />DaoDao AI</);
});
