/**
 * What goes wrong on our side: an honest code, nothing of the inside, and word of it to telemetry.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPracticeMaterial } from '../../../db/daodao/practices.ts';
import { createPool } from '../../../db/stores/postgres.ts';
import { AppError } from '../../../base/errors.ts';
import { bearer, createWorld, feedback, open, PRACTICE_ID, task } from '../fixture.ts';
import type { ErrorBody, World } from '../fixture.ts';

const CANARY = 'canary-5fd1';

const ROUTES = [
  ['GET', `/practices/${PRACTICE_ID}/feedback`],
  ['POST', `/practices/${PRACTICE_ID}/feedback`],
  ['GET', `/tasks/${PRACTICE_ID}`],
] as const;

/** Makes everything a route reads or asks fail. */
function failWith(world: World, error: Error): void {
  const fail = async () => {
    throw error;
  };
  Object.assign(world.deps.readers, { practiceMaterial: fail, feedback: fail });
  world.tasks.find = fail;
  world.tasks.enqueue = fail;
}

const AWAY: Record<string, Error> = {
  'refuses connections': Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
  'is starting up': Object.assign(new Error(CANARY), { code: '57P03' }),
  'has no connection left': Object.assign(new Error(CANARY), { code: '53300' }),
  'dropped the connection': new Error('Connection terminated unexpectedly'),
  'takes too long': new Error('Query read timeout'),
};

for (const [how, error] of Object.entries(AWAY)) {
  test(`when Postgres ${how}, every route that needs it answers 503 and when to come back`, async (t) => {
    const world = createWorld();
    failWith(world, error);
    const app = await open(t, world);
    for (const [method, url] of ROUTES) {
      const answer = await app.inject({ method, url, headers: await bearer() });
      assert.equal(answer.statusCode, 503, `${method} ${url}`);
      assert.equal(answer.headers['retry-after'], '1');
      assert.equal(answer.json<ErrorBody>().error.code, 'STORE_UNAVAILABLE');
      assert.doesNotMatch(answer.body, new RegExp(CANARY));
    }
  });
}

test('a Postgres that is really away is recognised as away', async (t) => {
  const world = createWorld();
  const pool = createPool('postgres://127.0.0.1:1/none', { max: 1, name: 'test' });
  t.after(() => pool.end());
  world.deps.readers.practiceMaterial = async (id) => {
    await pool.query('SELECT 1');
    return findPracticeMaterial(pool, id);
  };
  const app = await open(t, world);
  const [[method, url]] = ROUTES;
  const answer = await app.inject({ method, url, headers: await bearer() });
  assert.equal(answer.json<ErrorBody>().error.code, 'STORE_UNAVAILABLE');
});

test('an error nobody foresaw is 500 INTERNAL, with nothing of it in the answer and all of it in telemetry', async (t) => {
  const world = createWorld();
  const error = Object.assign(new Error(`syntax error at "${CANARY}"`), {
    code: '42601',
    detail: CANARY,
    query: `SELECT '${CANARY}'`,
  });
  failWith(world, error);
  const app = await open(t, world);
  for (const [method, url] of ROUTES) {
    const answer = await app.inject({ method, url, headers: await bearer() });
    assert.equal(answer.statusCode, 500);
    assert.deepEqual(answer.json(), {
      error: {
        code: 'INTERNAL',
        message: 'Something went wrong on our side.',
        request_id: answer.headers['x-request-id'],
      },
    });
    assert.doesNotMatch(JSON.stringify(answer.headers), new RegExp(CANARY));
  }
  const told = world.events.filter(({ event }) => event === 'http.error');
  assert.deepEqual(
    told.map(({ fields }) => 'error' in fields && fields.error),
    [error, error, error],
  );
});

test('what is thrown need not be an error', async (t) => {
  const world = createWorld();
  failWith(world, CANARY as unknown as Error);
  const app = await open(t, world);
  const [[method, url]] = ROUTES;
  const answer = await app.inject({ method, url, headers: await bearer() });
  assert.equal(answer.json<ErrorBody>().error.code, 'INTERNAL');
  assert.doesNotMatch(answer.body, new RegExp(CANARY));
});

test('an error of the catalogue keeps its code, sentence, details and delay', async (t) => {
  const world = createWorld();
  const details = { average_note_length: 4 };
  const message = 'Write a little more.';
  failWith(
    world,
    new AppError('FEEDBACK_NOT_ENOUGH_CONTENT', { message, details, retryAfterSeconds: 9 }),
  );
  const app = await open(t, world);
  const [[method, url]] = ROUTES;
  const answer = await app.inject({ method, url, headers: await bearer() });
  assert.equal(answer.statusCode, 422);
  assert.equal(answer.headers['retry-after'], '9');
  assert.deepEqual(answer.json(), {
    error: {
      code: 'FEEDBACK_NOT_ENOUGH_CONTENT',
      message,
      details,
      request_id: answer.headers['x-request-id'],
    },
  });
});

test('a handler that never answers is answered for, also after its body was read', async (t) => {
  const world = createWorld();
  const headers = await bearer();
  failWith(world, new Error('unused'));
  world.deps.readers.practiceMaterial = () => {
    queueMicrotask(() => t.mock.timers.tick(30_000));
    return new Promise(() => undefined);
  };
  const app = await open(t, world);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const answer = await app.inject({
    method: 'POST',
    url: `/practices/${PRACTICE_ID}/feedback`,
    headers,
    payload: { locale: 'en' },
  });
  assert.equal(answer.statusCode, 503);
  assert.equal(answer.json<ErrorBody>().error.code, 'ANSWER_TIMEOUT');
});

test('every answer is told to telemetry once, by the pattern of its route', async (t) => {
  const world = createWorld();
  world.stored.push(feedback());
  const app = await open(t, world);
  const headers = await bearer();
  const row = world.tasks.add(task());
  await app.inject({ url: `/tasks/${row.id}?wait=0`, headers });
  await app.inject({ url: `/practices/${PRACTICE_ID}/feedback` });
  await app.inject({ url: `/${CANARY}` });
  const told = world.events.flatMap(({ event, fields }) =>
    event === 'http.request' && 'status' in fields && 'route' in fields
      ? [`${fields.route} ${fields.status}`]
      : [],
  );
  assert.deepEqual(told, ['/tasks/:id 200', '/practices/:id/feedback 401', '(none) 404']);
  const { body } = await app.inject('/metrics');
  assert.match(body, /daodao_http_duration_seconds_count\{route="\/tasks\/:id"/);
  assert.doesNotMatch(body, new RegExp(CANARY));
});

test("a request keeps its caller's id, unless that is no id", async (t) => {
  const app = await open(t, createWorld());
  const ask = async (id: string) =>
    (await app.inject({ url: '/health', headers: { 'x-request-id': id } })).headers['x-request-id'];
  assert.equal(await ask('web-42.a_b'), 'web-42.a_b');
  for (const id of ['a b', '<script>', 'x'.repeat(65)])
    assert.match(String(await ask(id)), /^[\da-f-]{36}$/);
});
