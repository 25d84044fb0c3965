import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cards } from '../support/app/front-end.ts';
import { startWhole } from '../support/app/whole.ts';

const KEY = 'k'.repeat(32);

test('a new user gets vectors, then recommendations from them, as one chain they can follow', async (t) => {
  const whole = await startWhole(t, { internalApiKey: KEY });
  const user = await whole.as('念安');
  const told = await whole.anonymous.call<{ group_id: string; tasks: number; status_url: string }>(
    'POST',
    '/internal/events/user.created',
    { headers: { 'x-internal-api-key': KEY }, body: { user_id: user.externalId.toUpperCase() } },
  );
  assert.equal(told.status, 202, JSON.stringify(told.body));
  assert.equal(told.headers.get('location'), told.body.status_url);
  const { body } = await user.call<{ status: string; tasks: { name: string; status: string }[] }>(
    'GET',
    `${told.body.status_url}?wait=20`,
  );
  assert.equal(body.status, 'done', JSON.stringify(body));
  assert.deepEqual(
    body.tasks.map(({ name, status }) => [name, status]),
    [
      ['update_user_embeddings', 'done'],
      ['refresh_recommendation_cache', 'done'],
    ],
  );
  assert.ok((await cards(user)).length > 0);
});
