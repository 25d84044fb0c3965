/**
 * Which tokens of ours are taken, and what a temporary user may not spend.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSigner } from 'fast-jwt';
import { bearer, config, createWorld, open, OWNER, PRACTICE_ID, SECRET } from '../fixture.ts';
import type { ErrorBody } from '../fixture.ts';

const DAY_SECONDS = 86_400;

const signClaims = createSigner({ key: SECRET, algorithm: 'HS256' });
const sign = (claims: object): string => signClaims({ ...OWNER, ...claims });

const inDays = (days: number): number => Math.floor(Date.now() / 1000) + days * DAY_SECONDS;

const URL_PATH = `/practices/${PRACTICE_ID}/feedback`;

async function answerTo(
  t: Parameters<typeof open>[0],
  claims: object,
  tokenMaxDays?: number,
): Promise<[number, string | undefined]> {
  const world = createWorld();
  if (tokenMaxDays !== undefined) world.deps.config = config({ tokenMaxDays });
  const app = await open(t, world);
  const headers = { authorization: `Bearer ${sign(claims)}` };
  const answer = await app.inject({ method: 'POST', url: URL_PATH, headers });
  return [answer.statusCode, answer.json<Partial<ErrorBody>>().error?.message];
}

test('a token that never expires, or later than in 400 days, is refused, and told why', async (t) => {
  const refusal = [401, 'The token must expire (exp) within 400 days.'];
  for (const exp of [undefined, inDays(401), 1e15, Number.MAX_VALUE]) {
    assert.deepEqual(await answerTo(t, { exp }), refusal, String(exp));
  }
  // DaoDao's expire after seven.
  for (const exp of [inDays(7), inDays(400) - 60]) {
    assert.equal((await answerTo(t, { exp }))[0], 202);
  }
});

test('TOKEN_MAX_DAYS says how far ahead a token may expire, and 0 that any may', async (t) => {
  assert.equal((await answerTo(t, { exp: inDays(8) }, 7))[0], 401);
  assert.equal((await answerTo(t, { exp: inDays(6) }, 7))[0], 202);
  for (const exp of [undefined, inDays(100_000)]) {
    assert.equal((await answerTo(t, { exp }, 0))[0], 202);
  }
  assert.equal((await answerTo(t, { exp: inDays(-1) }, 0))[0], 401, 'one that has expired');
});

test('a token is refused from the moment it expires, however often it was accepted', async (t) => {
  const app = await open(t, createWorld());
  const exp = inDays(1);
  const headers = { authorization: `Bearer ${sign({ exp })}` };
  const answer = async () => {
    const { statusCode, body } = await app.inject({ url: URL_PATH, headers });
    return [statusCode, (JSON.parse(body) as ErrorBody).error.message];
  };
  t.mock.timers.enable({ apis: ['Date'], now: exp * 1000 });
  const accepted = [404, 'This practice has no feedback yet.'];
  assert.deepEqual([await answer(), await answer()], [accepted, accepted]);
  t.mock.timers.setTime(exp * 1000 + 1);
  assert.deepEqual(await answer(), [401, 'The token has expired.']);
});

test('a temporary user spends no model calls, whatever the address of the route', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = await bearer({ ...OWNER, isTemp: true });
  for (const url of [URL_PATH, '/users/me/embeddings']) {
    for (const prefix of ['', '/api/v1']) {
      const answer = await app.inject({ method: 'POST', url: `${prefix}${url}`, headers });
      assert.equal(answer.statusCode, 403, url);
      assert.equal(answer.json<ErrorBody>().error.code, 'USER_TEMPORARY');
    }
  }
  assert.deepEqual(world.tasks.enqueued, []);
  const read = await app.inject({ url: URL_PATH, headers });
  assert.equal(read.json<ErrorBody>().error.code, 'FEEDBACK_NOT_FOUND', 'reading is free');
});
