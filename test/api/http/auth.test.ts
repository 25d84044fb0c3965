/**
 * Who gets in: every registered route, with every kind of token.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createSigner, type Algorithm } from 'fast-jwt';
import { signToken } from '../../../api/http/auth.ts';
import { ERRORS } from '../../../base/errors.ts';
import {
  bearer,
  createWorld,
  open,
  OWNER,
  OWNER_ID,
  PRACTICE_ID,
  SECRET,
  STRANGER,
  task,
  type ErrorBody,
} from '../fixture.ts';
import { calledOf, registeredRoutes } from '../routes.ts';

const PUBLIC = new Set([
  '/',
  '/health',
  '/ready',
  '/metrics',
  '/openapi.json',
  '/api/v1/health',
  '/api/v1/ping',
]);
/** These answer without a token too, but not with a bad one. */
const OPTIONAL = new Set(['/users/me/recommendations', '/recommendation/topic_cards']);

const plainOf = (url: string): string => url.replace(/^\/api\/v1(?=\/)/, '');

/** @param key default: that of the tests; a private key for RS256, none for `none`. */
const sign = (payload: object, algorithm: Algorithm, key: string | undefined = SECRET): string =>
  createSigner({ algorithm, ...(algorithm !== 'none' && { key }), expiresIn: 60_000 })({
    ...payload,
  });

async function badTokens(): Promise<Record<string, string>> {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const good = await signToken(SECRET, OWNER, { expiresInSeconds: 60 });
  const [header = '', body = '', signature = ''] = good.split('.');
  const forged = Buffer.from(JSON.stringify({ ...STRANGER, roles: ['admin'] })).toString(
    'base64url',
  );
  return {
    'no token at all': '',
    'not a token': 'hello',
    'a changed signature': `${header}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    'a changed payload': `${header}.${forged}.${signature}`,
    'no signature': `${header}.${body}.`,
    expired: await signToken(SECRET, OWNER, { expiresInSeconds: -1 }),
    'another secret': sign(OWNER, 'HS256', `${SECRET}!`),
    'algorithm none': sign(OWNER, 'none'),
    'algorithm HS384': sign(OWNER, 'HS384'),
    'algorithm HS512': sign(OWNER, 'HS512'),
    'algorithm RS256': sign(OWNER, 'RS256', String(rsa.export({ type: 'pkcs8', format: 'pem' }))),
    'valid from a time that no date can tell': sign({ ...OWNER, nbf: 1e300 }, 'HS256'),
    'no external id': sign({ ...OWNER, _id: undefined }, 'HS256'),
    'an external id that is no UUID': sign({ ...OWNER, _id: "' OR 1=1" }, 'HS256'),
    'roles that are no list': sign({ ...OWNER, roles: 'admin' }, 'HS256'),
    'an internal id that is text': sign({ ...OWNER, id: '7' }, 'HS256'),
  };
}

test('every route that is not listed as public refuses every token that is not valid', async (t) => {
  const app = await open(t, createWorld());
  const routes = await registeredRoutes();
  assert.ok(routes.length >= 12, `only ${routes.length} routes were found`);
  const tokens = Object.entries(await badTokens());
  const guarded = new Set<string>();
  for (const { method, url } of routes) {
    const called = calledOf(url);
    for (const [kind, token] of tokens) {
      const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
      const answer = await app.inject({ method, url: called, headers });
      if (PUBLIC.has(url) || url.startsWith('/docs')) {
        assert.notEqual(answer.statusCode, 401, `${method} ${url} is public`);
        continue;
      }
      guarded.add(`${method} ${plainOf(url)}`);
      if (token === '' && OPTIONAL.has(plainOf(url))) {
        assert.equal(answer.statusCode, 200, `${method} ${url} without a token`);
        assert.equal(answer.headers['x-auth-state'], 'anonymous');
        continue;
      }
      assert.equal(answer.statusCode, 401, `${method} ${url} with ${kind}`);
      const isRead = token !== '' && !url.startsWith('/internal/');
      const challenge = isRead ? 'Bearer error="invalid_token"' : 'Bearer';
      assert.equal(answer.headers['www-authenticate'], challenge, `${method} ${url} with ${kind}`);
      if (method !== 'HEAD') assert.equal(answer.json<ErrorBody>().error.code, 'UNAUTHENTICATED');
    }
  }
  assert.deepEqual([...guarded].toSorted(), [
    'DELETE /groups/:id',
    'DELETE /tasks/:id',
    'GET /groups/:id',
    'GET /practices/:id/feedback',
    'GET /recommendation/topic_cards',
    'GET /schedules',
    'GET /schedules/:name',
    'GET /schedules/preview',
    'GET /tasks/:id',
    'GET /users/me/recommendations',
    'HEAD /groups/:id',
    'HEAD /practices/:id/feedback',
    'HEAD /recommendation/topic_cards',
    'HEAD /schedules',
    'HEAD /schedules/:name',
    'HEAD /schedules/preview',
    'HEAD /tasks/:id',
    'HEAD /users/me/recommendations',
    'PATCH /schedules/:name',
    'POST /events',
    'POST /events/progress',
    'POST /events/time-spent',
    'POST /events/view',
    'POST /internal/events/practice.completed',
    'POST /internal/events/practice.updated',
    'POST /internal/events/user.created',
    'POST /internal/events/user.goals_updated',
    'POST /practices/:id/feedback',
    'POST /practices/feedback',
    'POST /recommendation/topic_cards/:practiceId/feedback',
    'POST /schedules/:name/run',
    'POST /users/me/embeddings',
    'POST /users/me/recommendations/refresh',
  ]);
});

test('only a token of ours that has expired is told so', async (t) => {
  const app = await open(t, createWorld());
  const { expired = '', ...others } = await badTokens();
  const messageTo = async (token: string): Promise<string> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await app.inject({ url: `/tasks/${PRACTICE_ID}`, headers });
    return answer.json<ErrorBody>().error.message;
  };
  assert.equal(await messageTo(expired), 'The token has expired.');
  const forged = await signToken(`${SECRET}!`, OWNER, { expiresInSeconds: -1 });
  for (const token of [...Object.values(others), forged]) {
    assert.equal(await messageTo(token), ERRORS.UNAUTHENTICATED.message);
  }
});

test('what belongs to somebody else is as unknown as what never was', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = await bearer(STRANGER);
  const row = world.tasks.add(task());
  const unowned = world.tasks.add(task({ user_id: null }));
  const expected: [string, 'GET' | 'POST', string][] = [
    [`/practices/${PRACTICE_ID}/feedback`, 'GET', 'PRACTICE_NOT_FOUND'],
    [`/practices/${PRACTICE_ID}/feedback`, 'POST', 'PRACTICE_NOT_FOUND'],
    [`/practices/${randomUUID()}/feedback`, 'GET', 'PRACTICE_NOT_FOUND'],
    [`/practices/${randomUUID()}/feedback`, 'POST', 'PRACTICE_NOT_FOUND'],
    [`/tasks/${row.id}`, 'GET', 'TASK_NOT_FOUND'],
    [`/tasks/${row.id}?wait=1`, 'GET', 'TASK_NOT_FOUND'],
    [`/tasks/${unowned.id}`, 'GET', 'TASK_NOT_FOUND'],
    [`/tasks/${randomUUID()}`, 'GET', 'TASK_NOT_FOUND'],
  ];
  for (const [url, method, code] of expected) {
    const answer = await app.inject({ method, url, headers });
    assert.equal(answer.statusCode, 404, `${method} ${url}`);
    assert.equal(answer.json<ErrorBody>().error.code, code);
  }
  assert.deepEqual(world.tasks.enqueued, []);
});

test('a token is taken from the Bearer header first, then from the cookie', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const row = world.tasks.add(task());
  const good = await signToken(SECRET, OWNER, { expiresInSeconds: 60 });
  const foreign = await signToken(SECRET, STRANGER, { expiresInSeconds: 60 });
  const cases: [Record<string, string>, number][] = [
    [{ cookie: `theme=dark; auth_token=${good}` }, 200],
    [{ cookie: `auth_token="${good}"` }, 200],
    [{ cookie: `not_auth_token=${good}` }, 401],
    [{ authorization: `bearer ${good}`, cookie: `auth_token=${foreign}` }, 200],
    [{ authorization: `Bearer ${foreign}`, cookie: `auth_token=${good}` }, 404],
    [{ authorization: 'Bearer broken', cookie: `auth_token=${good}` }, 401],
    [{ authorization: 'Basic bWVpOm1laQ==', cookie: `auth_token=${good}` }, 200],
  ];
  for (const [headers, status] of cases) {
    const answer = await app.inject({ url: `/tasks/${row.id}`, headers });
    assert.equal(answer.statusCode, status, JSON.stringify(Object.keys(headers)));
  }
});

test('an external id is the same in upper case', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const row = world.tasks.add(task());
  const headers = await bearer({ ...OWNER, _id: OWNER_ID.toUpperCase() });
  const answer = await app.inject({ url: `/tasks/${row.id.toUpperCase()}`, headers });
  assert.equal(answer.statusCode, 200);
});
