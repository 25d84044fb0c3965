/**
 * Whose cookie a browser sends along is not asked: what changes something must come from a page that may, or with a token that a page
 * adds itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signToken } from '../../../api/http/auth.ts';
import {
  bearer,
  config,
  createWorld,
  open,
  OWNER,
  SECRET,
  task,
  user,
  type ErrorBody,
} from '../fixture.ts';
import { calledOf, registeredRoutes } from '../routes.ts';

const PAGE = 'https://daodao.example';
const SAFE = new Set(['GET', 'HEAD']);

const ELSEWHERE: Record<string, string>[] = [
  {},
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: '' },
  { origin: `${PAGE}.evil.example` },
  { origin: `${PAGE}:8443` },
  { origin: PAGE.replace('https', 'http') },
  { origin: `${PAGE}, https://evil.example` },
  { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'none' },
  { referer: `${PAGE}/` },
];
const ALLOWED: Record<string, string>[] = [
  { origin: PAGE },
  { origin: PAGE, 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-origin' },
];

const admin = user({ ...OWNER, roles: ['admin'] });

function worldOf(corsOrigins: string[] | undefined = [PAGE]) {
  const world = createWorld();
  world.deps.config = config({ corsOrigins });
  return world;
}

async function cookie(): Promise<string> {
  return `auth_token=${await signToken(SECRET, admin, { expiresInSeconds: 60 })}`;
}

/** The code of an answer; a 5xx is that of a double of the fixture. */
const codeOf = (answer: { body: string; statusCode: number }): string =>
  answer.body === '' ? '' : ((JSON.parse(answer.body) as Partial<ErrorBody>).error?.code ?? '');

test('every route that changes something refuses the cookie from elsewhere, with a body and without', async (t) => {
  const app = await open(t, worldOf());
  const authorization = { cookie: await cookie() };
  const changing = (await registeredRoutes()).filter(
    ({ method, url }) => !SAFE.has(method) && !url.startsWith('/internal'),
  );
  assert.ok(changing.length >= 18, `only ${changing.length} routes were found`);
  for (const { method, url } of changing) {
    for (const from of ELSEWHERE) {
      for (const payload of [undefined, { locale: 'en' }]) {
        const headers = { ...authorization, ...from };
        const request = { method, url: calledOf(url), headers, ...(payload && { payload }) };
        const answer = await app.inject(request);
        const what = `${method} ${url} ${JSON.stringify(from)}`;
        assert.equal(codeOf(answer), 'ORIGIN_FORBIDDEN', what);
        assert.equal(answer.statusCode, 403, what);
      }
    }
    for (const from of ALLOWED) {
      const headers = { ...authorization, ...from };
      const answer = await app.inject({ method, url: calledOf(url), headers });
      assert.notEqual(codeOf(answer), 'ORIGIN_FORBIDDEN', `${method} ${url}`);
    }
  }
});

test('reading with the cookie needs no origin', async (t) => {
  const world = worldOf();
  const app = await open(t, world);
  const { id } = world.tasks.add(task());
  for (const from of [...ELSEWHERE, ...ALLOWED]) {
    const headers = { cookie: await cookie(), ...from };
    const answer = await app.inject({ url: `/tasks/${id}`, headers });
    assert.equal(answer.statusCode, 200, JSON.stringify(from));
  }
});

test('without CORS_ORIGINS only the same origin may change something with the cookie', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const post = async (from: Record<string, string>) => {
    const headers = { cookie: await cookie(), ...from };
    const url = '/users/me/recommendations/refresh';
    return (await app.inject({ method: 'POST', url, headers })).statusCode;
  };
  assert.equal(await post({ origin: PAGE }), 403);
  assert.equal(await post({ 'sec-fetch-site': 'same-origin' }), 202);
});

test('a bearer token may come from anywhere, also beside a cookie', async (t) => {
  const app = await open(t, worldOf());
  for (const from of ELSEWHERE) {
    const headers = { ...(await bearer()), ...from, cookie: await cookie() };
    const url = '/users/me/recommendations/refresh';
    const answer = await app.inject({ method: 'POST', url, headers });
    assert.equal(answer.statusCode, 202, JSON.stringify(from));
  }
});

test('a cookie that is not valid is told so, wherever it comes from', async (t) => {
  const app = await open(t, worldOf());
  const headers = { cookie: 'auth_token=broken', origin: 'https://evil.example' };
  const answer = await app.inject({ method: 'DELETE', url: `/tasks/${task().id}`, headers });
  assert.equal(codeOf(answer), 'UNAUTHENTICATED');
});
