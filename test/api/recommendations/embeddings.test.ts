/**
 * Who may say that vectors are out of date, and what is accepted then.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import {
  bearer,
  config,
  createWorld,
  open,
  OWNER_ID,
  PRACTICE_ID,
  type ErrorBody,
  type World,
} from '../fixture.ts';

const KEY = 'a key that only services know';

async function openWithKey(t: TestContext, internalApiKey: string | undefined) {
  const world = createWorld();
  world.deps.config = config({ internalApiKey });
  return { world, app: await open(t, world) };
}

const EMBEDDING = {
  name: 'update_user_embeddings',
  payload: { userIds: [OWNER_ID] },
  options: {
    userId: OWNER_ID,
    subject: OWNER_ID,
    dedupeKey: `update_user_embeddings:${OWNER_ID}`,
    debounceMs: 30_000,
    maxWaitMs: 300_000,
  },
};

const namesOf = ({ tasks }: World): string[] => tasks.enqueued.map(({ name }) => name);

test('asking for one’s own vectors is accepted, put off and merged with what comes next', async (t) => {
  const { world, app } = await openWithKey(t, KEY);
  const answer = await app.inject({
    method: 'POST',
    url: '/users/me/embeddings',
    headers: await bearer(),
  });
  const { id } = world.tasks.accepted;
  assert.equal(answer.statusCode, 202);
  assert.equal(answer.headers['location'], `/tasks/${id}`);
  assert.deepEqual(answer.json(), { task_id: id, status: 'queued', status_url: `/tasks/${id}` });
  assert.deepEqual(world.tasks.enqueued, [EMBEDDING]);
});

test('a service with the key tells of goals and practices', async (t) => {
  const { world, app } = await openWithKey(t, KEY);
  const headers = { 'x-internal-api-key': KEY };
  const tell = (event: string, payload: object) =>
    app.inject({ method: 'POST', url: `/internal/events/${event}`, headers, payload });

  const goals = await tell('user.goals_updated', { user_id: OWNER_ID.toUpperCase() });
  assert.equal(goals.statusCode, 202);
  assert.equal(goals.json<{ tasks: unknown[] }>().tasks.length, 1);
  await tell('practice.updated', { practice_id: PRACTICE_ID });
  assert.deepEqual(world.tasks.enqueued, [EMBEDDING, EMBEDDING]);

  world.tasks.enqueued.length = 0;
  await tell('practice.completed', { practice_id: PRACTICE_ID });
  assert.deepEqual(namesOf(world), ['update_user_embeddings', 'generate_ai_feedback']);

  world.tasks.enqueued.length = 0;
  world.material.practice.progressPercentage = 10;
  const thin = await tell('practice.completed', { practice_id: PRACTICE_ID });
  assert.equal(thin.statusCode, 202);
  assert.deepEqual(namesOf(world), ['update_user_embeddings']);

  const unknown = await tell('practice.completed', { practice_id: randomUUID() });
  assert.equal(unknown.statusCode, 404);
  assert.equal((await tell('user.goals_updated', {})).statusCode, 400);
});

test('without the right key nobody gets in, and with none set nobody at all', async (t) => {
  const payload = { user_id: OWNER_ID };
  const people = await bearer();
  for (const [key, headers] of [
    [KEY, {}],
    [KEY, people],
    [KEY, { 'x-internal-api-key': `${KEY}!` }],
    [KEY, { 'x-internal-api-key': '' }],
    [undefined, { 'x-internal-api-key': 'undefined' }],
  ] as const) {
    const { world, app } = await openWithKey(t, key);
    const url = '/internal/events/user.goals_updated';
    const answer = await app.inject({ method: 'POST', url, headers, payload });
    assert.equal(answer.statusCode, 401, JSON.stringify(headers));
    assert.equal(answer.json<ErrorBody>().error.code, 'UNAUTHENTICATED');
    assert.deepEqual(world.tasks.enqueued, []);
  }
});
