import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { bearer, createWorld, open, OWNER, task, user, type World } from '../fixture.ts';

const ADMIN = user({ roles: ['user', 'admin'] });

async function asAdmin(t: TestContext, world: World = createWorld()) {
  const app = await open(t, world);
  const headers = await bearer(ADMIN);
  return {
    app,
    send: (method: 'GET' | 'PATCH' | 'POST', url: string, payload?: object) =>
      app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) }),
  };
}

test('schedules are for admins', async (t) => {
  const { app } = await asAdmin(t);
  for (const [method, url] of [
    ['GET', '/schedules'],
    ['GET', '/api/v1/schedules'],
    ['GET', '/schedules/preview?cron=*+*+*+*+*'],
    ['GET', '/schedules/x'],
    ['PATCH', '/schedules/x'],
    ['POST', '/schedules/x/run'],
  ] as const) {
    const payload = method === 'PATCH' ? { enabled: false } : undefined;
    const options = { method, url, ...(payload === undefined ? {} : { payload }) };
    assert.equal((await app.inject(options)).statusCode, 401, url);
    const answer = await app.inject({ ...options, headers: await bearer(OWNER) });
    assert.equal(answer.statusCode, 403, url);
    const body = answer.json<{ error: { code: string } }>();
    assert.equal(body.error.code, 'FORBIDDEN');
  }
});

test('a task that belongs to nobody is for admins to follow and to call off', async (t) => {
  const world = createWorld();
  const { id } = world.tasks.add(task({ user_id: null }));
  const { app, send } = await asAdmin(t, world);
  assert.equal((await send('GET', `/tasks/${id}`)).statusCode, 200);
  const foreign = world.tasks.add(task());
  assert.equal((await send('GET', `/tasks/${foreign.id}`)).statusCode, 404);
  for (const method of ['GET', 'DELETE'] as const) {
    const headers = await bearer(OWNER);
    assert.equal((await app.inject({ method, url: `/tasks/${id}`, headers })).statusCode, 404);
  }
});

test('a preview shows when an expression would be due', async (t) => {
  const { send } = await asAdmin(t);
  const query = 'cron=30+2+*+*+*&timezone=Europe/Berlin&after=2026-03-28T00:00:00Z&count=3';
  const answer = await send('GET', `/schedules/preview?${query}`);
  assert.deepEqual(
    [answer.statusCode, answer.json()],
    [
      200,
      {
        timezone: 'Europe/Berlin',
        next_runs: [
          { at: '2026-03-28T01:30:00.000Z', local: '2026-03-28T02:30:00+01:00', note: null },
          {
            at: '2026-03-29T01:00:00.000Z',
            local: '2026-03-29T03:00:00+02:00',
            note: 'Clocks go forward from 02:00 to 03:00: slots in between are due now, once.',
          },
          { at: '2026-03-30T00:30:00.000Z', local: '2026-03-30T02:30:00+02:00', note: null },
        ],
      },
    ],
  );
  for (const [after, first] of [
    ['0000-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '+010000-01-01T00:00:00.000Z'],
  ] as const) {
    const far = await send('GET', `/schedules/preview?cron=0+*+*+*+*&timezone=UTC&after=${after}`);
    assert.equal(far.json<{ next_runs: { at: string }[] }>().next_runs[0]!.at, first);
  }
  const every = await send(
    'GET',
    '/schedules/preview?every_ms=60000&after=2026-03-28T00:00:00Z&count=1',
  );
  assert.equal(
    every.json<{ next_runs: { at: string }[] }>().next_runs[0]!.at,
    '2026-03-28T00:01:00.000Z',
  );
});

test('what cannot be kept is refused with the place and an example', async (t) => {
  const { send } = await asAdmin(t);
  for (const [query, status, code, details] of [
    ['cron=61+*+*+*+*', 422, 'SCHEDULE_INVALID', { field: 'cron', position: 1 }],
    ['cron=0+0+31+2+*', 422, 'SCHEDULE_INVALID', { field: 'cron' }],
    ['cron=*+*+*+*+*&timezone=Mars/Base', 422, 'SCHEDULE_INVALID', { field: 'timezone' }],
    ['', 422, 'SCHEDULE_INVALID', { field: 'cron' }],
    ['cron=*+*+*+*+*&every_ms=60000', 422, 'SCHEDULE_INVALID', { field: 'cron' }],
    ['every_ms=5', 400, 'REQUEST_INVALID', undefined],
    ['cron=*+*+*+*+*&count=101', 400, 'REQUEST_INVALID', undefined],
    ['cron=*+*+*+*+*&after=soon', 400, 'REQUEST_INVALID', undefined],
    ['crom=*+*+*+*+*', 400, 'REQUEST_INVALID', undefined],
  ] as const) {
    const answer = await send('GET', `/schedules/preview?${query}`);
    const { error } = answer.json<{ error: { code: string; message: string; details?: object } }>();
    assert.deepEqual([answer.statusCode, error.code], [status, code], query);
    if (details === undefined) continue;
    assert.deepEqual(error.details, details);
    assert.match(error.message, /For example: /);
    assert.doesNotMatch(error.message, /everyMs/);
  }
  for (const payload of [{}, { enabled: 'no' }, { everyMs: 60_000 }, { every_ms: 999 }]) {
    const answer = await send('PATCH', '/schedules/x', payload);
    assert.equal(answer.statusCode, 400, JSON.stringify(payload));
  }
});
