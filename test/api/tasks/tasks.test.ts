/**
 * Following a task, at once and by long-poll.
 */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { bearer, createWorld, open, task } from '../fixture.ts';

test('a task is shown with exactly the fields that are promised', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const row = world.tasks.add(
    task({
      status: 'running',
      state: 'active',
      attempts: 1,
      started_at: new Date('2026-01-12T01:00:01Z'),
      progress: { value: 0.5, note: 'writing' },
      error_code: 'LLM_UNAVAILABLE',
      error_message: 'The language model did not answer.',
    }),
  );
  const answer = await app.inject({ url: `/tasks/${row.id}`, headers: await bearer() });
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.json(), {
    task_id: row.id,
    name: 'generate_ai_feedback',
    status: 'running',
    state: 'active',
    attempts: 1,
    progress: { value: 0.5, note: 'writing' },
    result: null,
    error: null,
    created_at: '2026-01-12T01:00:00.000Z',
    started_at: '2026-01-12T01:00:01.000Z',
    finished_at: null,
  });
});

test('a result is shown whole, and a failure with its code and sentence', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const headers = await bearer();
  const finished_at = new Date('2026-01-12T01:00:09Z');
  const result = { practice_id: 'p', version: 2, nested: { list: [1, 'two', null] } };
  const done = world.tasks.add(task({ status: 'done', result, finished_at }));
  const failed = world.tasks.add(
    task({ status: 'error', error_code: 'LLM_UNAVAILABLE', error_message: 'No.', finished_at }),
  );
  const show = async (id: string) =>
    (await app.inject({ url: `/tasks/${id}`, headers })).json<Record<string, unknown>>();
  assert.deepEqual((await show(done.id))['result'], result);
  assert.equal((await show(done.id))['finished_at'], '2026-01-12T01:00:09.000Z');
  assert.deepEqual((await show(failed.id))['error'], { code: 'LLM_UNAVAILABLE', message: 'No.' });
});

test('a long-poll waits as long as it was asked to, and answers with what the task is then', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  const row = world.tasks.add(task());
  const waits: number[] = [];
  world.tasks.wait = async (timeoutMs) => {
    waits.push(timeoutMs);
    world.tasks.rows.set(row.id, { ...row, status: 'done', finished_at: new Date() });
  };
  const url = `/tasks/${row.id}?wait=2.5`;
  const headers = await bearer();
  const answer = await app.inject({ url, headers });
  assert.equal(answer.json<{ status: string }>().status, 'done');
  await app.inject({ url, headers });
  assert.deepEqual(waits, [2500], 'a finished task is not waited for');
});

test('a client that hangs up ends its long-poll', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const row = world.tasks.add(task());
  const moments = new EventEmitter<{ waiting: [AbortSignal]; over: [] }>();
  const waiting = once(moments, 'waiting');
  const over = once(moments, 'over');
  world.tasks.wait = async (_timeoutMs, signal) => {
    moments.emit('waiting', signal);
    await once(signal, 'abort');
    moments.emit('over');
  };
  const client = request(`${app.listeningOrigin}/tasks/${row.id}?wait=20`, {
    headers: await bearer(),
  });
  client.on('error', () => undefined).end();
  const [signal] = (await waiting) as [AbortSignal];
  assert.equal(signal.aborted, false);
  client.destroy();
  await over;
});

test('a server that closes ends its long-polls with what is known', async (t) => {
  const world = createWorld();
  const app = await open(t, world);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const row = world.tasks.add(task());
  const moments = new EventEmitter<{ waiting: [] }>();
  const waiting = once(moments, 'waiting');
  world.tasks.wait = async (_timeoutMs, signal) => {
    moments.emit('waiting');
    await once(signal, 'abort');
  };
  const poll = fetch(`${app.listeningOrigin}/tasks/${row.id}?wait=20`, { headers: await bearer() });
  await waiting;
  const closed = app.close();
  const answer = await poll;
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('connection'), 'close');
  assert.equal(((await answer.json()) as { status: string }).status, 'queued');
  await closed;
});
