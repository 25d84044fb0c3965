/**
 * Calling a task off over HTTP.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { bearer, createWorld, open, task } from '../fixture.ts';

test('its owner calls a task off, and sees it revoked', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = await bearer();
  const { id } = world.tasks.add(task({ status: 'running' }));
  const answer = await app.inject({ method: 'DELETE', url: `/tasks/${id.toUpperCase()}`, headers });
  assert.equal(answer.statusCode, 200);
  const body = answer.json<Record<string, unknown>>();
  assert.deepEqual(
    [body['task_id'], body['status'], body['error']],
    [id, 'revoked', { code: 'TASK_REVOKED', message: 'The task was revoked.' }],
  );
  const again = await app.inject({ method: 'DELETE', url: `/tasks/${id}`, headers });
  assert.deepEqual(again.json(), body);
});

test('a task that has ended stays as it was', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const finished_at = new Date('2026-01-12T01:00:09Z');
  const { id } = world.tasks.add(task({ status: 'done', result: 7, finished_at }));
  const answer = await app.inject({
    method: 'DELETE',
    url: `/tasks/${id}`,
    headers: await bearer(),
  });
  assert.deepEqual([answer.statusCode, answer.json<{ status: string }>().status], [200, 'done']);
});

test('a task of somebody else, one of nobody and an unknown one are all unknown, and untouched', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const theirs = world.tasks.add(task({ user_id: randomUUID() }));
  const sweep = world.tasks.add(task({ user_id: null }));
  for (const id of [theirs.id, sweep.id, randomUUID()]) {
    const answer = await app.inject({
      method: 'DELETE',
      url: `/tasks/${id}`,
      headers: await bearer(),
    });
    assert.equal(answer.statusCode, 404);
    assert.equal(answer.json<{ error: { code: string } }>().error.code, 'TASK_NOT_FOUND');
  }
  assert.equal(world.tasks.rows.get(theirs.id)?.status, 'queued');
  const without = await app.inject({ method: 'DELETE', url: `/tasks/${theirs.id}` });
  assert.equal(without.statusCode, 401);
});
