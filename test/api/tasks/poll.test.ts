/**
 * What a poll costs the stores.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { durable, testClient } from '../../support/client.ts';
import { commandsDuring } from '../../support/stores/redis.ts';
import { request, start, succeedTask } from '../../support/tasks.ts';
import { bearer, createWorld, open, OWNER_ID } from '../fixture.ts';

const stores = testClient();

test('a poll is one query, and asks Redis only about a task that has not ended', async (t) => {
  const { pool } = stores.database;
  const world = createWorld();
  world.deps.tasks = stores.client;
  const app = await open(t, world);
  const headers = await bearer();
  const { id } = await acceptTask(pool, request({ name: durable.name, userId: OWNER_ID }));

  const poll = async () => {
    const queries = t.mock.method(pool, 'query');
    let shown: unknown[] = [];
    const commands = await commandsDuring(stores.redis, async () => {
      const answer = await app.inject({ url: `/tasks/${id}`, headers });
      const { status, state, progress } = answer.json<Record<string, unknown>>();
      shown = [status, state, progress];
    });
    const asked = { queries: queries.mock.callCount(), redis: commands.length > 0 };
    queries.mock.restore();
    return [shown, asked];
  };

  assert.deepEqual(await poll(), [['queued', null, null], { queries: 1, redis: true }]);
  const fence = await start(pool, id);
  assert.deepEqual(await poll(), [['running', null, null], { queries: 1, redis: true }]);
  await succeedTask(pool, fence, '7');
  assert.deepEqual(await poll(), [['done', 'succeeded', null], { queries: 1, redis: false }]);
});
