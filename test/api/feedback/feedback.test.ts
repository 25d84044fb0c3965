/**
 * Asking for feedback, and reading it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { bearer, createWorld, feedback, open, OWNER_ID, PRACTICE_ID } from '../fixture.ts';
import type { ErrorBody } from '../fixture.ts';

const URL_PATH = `/practices/${PRACTICE_ID}/feedback`;

const BODY = {
  practice_id: PRACTICE_ID,
  text: 'one\ntwo\nthree',
  sections: { breakthrough: 'one', rhythm: 'two', insight: 'three' },
  locale: 'zh-TW',
  provider: 'offline',
  model: 'offline-coach',
  version: 1,
  created_at: '2026-01-12T01:00:00.000Z',
};

test('a request is answered 202 with its task, and where and when to ask for it', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const answer = await app.inject({ method: 'POST', url: URL_PATH, headers: await bearer() });
  const { id } = world.tasks.accepted;
  assert.equal(answer.statusCode, 202);
  assert.deepEqual(answer.json(), { task_id: id, status: 'queued', status_url: `/tasks/${id}` });
  assert.equal(answer.headers.location, `/tasks/${id}`);
  assert.equal(answer.headers['retry-after'], '1');
});

test('a request is for the task, the locale and the key it names', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = { ...(await bearer()), 'idempotency-key': 'k-1' };
  const url = URL_PATH.toUpperCase()
    .replace('PRACTICES', 'practices')
    .replace('FEEDBACK', 'feedback');
  await app.inject({ method: 'POST', url, headers });
  await app.inject({ method: 'POST', url, headers, payload: { locale: 'en' } });
  const asked = world.tasks.enqueued.map(({ name, payload, options }) => ({
    name,
    payload,
    key: options.dedupeKey,
    idempotencyKey: options.idempotencyKey,
    subject: options.subject,
    userId: options.userId,
  }));
  const common = {
    name: 'generate_ai_feedback',
    idempotencyKey: 'k-1',
    subject: PRACTICE_ID,
    userId: OWNER_ID,
  };
  assert.deepEqual(asked, [
    {
      ...common,
      payload: { practiceId: PRACTICE_ID, locale: 'zh-TW' },
      key: `generate_ai_feedback:${PRACTICE_ID}:zh-TW`,
    },
    {
      ...common,
      payload: { practiceId: PRACTICE_ID, locale: 'en' },
      key: `generate_ai_feedback:${PRACTICE_ID}:en`,
    },
  ]);
  const [chinese, english] = world.tasks.enqueued.map(({ options }) => options.inputHash);
  assert.ok(chinese);
  assert.notEqual(chinese, english);
});

test('work under way and a repeated key are answered 202 with the task there is', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = await bearer();
  for (const [outcome, status] of [
    ['unfinished', 'running'],
    ['repeated', 'done'],
  ] as const) {
    const id = randomUUID();
    world.tasks.accepted = { id, status, outcome };
    const answer = await app.inject({ method: 'POST', url: URL_PATH, headers });
    assert.equal(answer.statusCode, 202);
    assert.deepEqual(answer.json(), { task_id: id, status, status_url: `/tasks/${id}` });
  }
});

test('when nothing changed, the answer is 200 with the feedback in the language asked for', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const english = feedback({ locale: 'en' });
  world.stored.push(feedback(), english);
  world.tasks.accepted = { id: english.taskId, status: 'done', outcome: 'finished' };
  const answer = await app.inject({
    method: 'POST',
    url: URL_PATH,
    headers: await bearer(),
    payload: { locale: 'en' },
  });
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.json(), { ...BODY, locale: 'en', task_id: english.taskId });
});

test('a key used for another request is 409', async (t) => {
  const world = createWorld();
  world.tasks.enqueue = async () => {
    throw new AppError('IDEMPOTENCY_KEY_REUSED');
  };
  const app = await open(t, world);
  const answer = await app.inject({ method: 'POST', url: URL_PATH, headers: await bearer() });
  assert.equal(answer.statusCode, 409);
  assert.equal(answer.json<ErrorBody>().error.code, 'IDEMPOTENCY_KEY_REUSED');
});

test('feedback is read from the cache, and from Postgres when the cache has none of it', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = await bearer();
  const get = () => app.inject({ url: URL_PATH, headers });
  const none = await get();
  assert.equal(none.statusCode, 404);
  assert.equal(none.json<ErrorBody>().error.code, 'FEEDBACK_NOT_FOUND');

  const row = feedback();
  world.stored.push(row);
  assert.deepEqual((await get()).json(), { ...BODY, task_id: row.taskId });

  world.cached.set(`feedback:${PRACTICE_ID}`, { ...row, version: 2 });
  assert.deepEqual((await get()).json(), { ...BODY, task_id: row.taskId, version: 2 });

  for (const wrong of [null, 'text', { ...row, text: 7 }, { ...row, practiceId: randomUUID() }]) {
    world.cached.set(`feedback:${PRACTICE_ID}`, wrong);
    assert.deepEqual((await get()).json(), { ...BODY, task_id: row.taskId });
  }
});

test('a cache that is away costs a read from Postgres and nothing else', async (t) => {
  const world = createWorld();
  const row = feedback();
  world.stored.push(row);
  world.deps.cache.get = async () => {
    throw new Error('Redis is away');
  };
  const app = await open(t, world);
  const answer = await app.inject({ url: URL_PATH, headers: await bearer() });
  assert.deepEqual(answer.json(), { ...BODY, task_id: row.taskId });
});
