/**
 * What does not fit a schema is told in plain words, with what to send instead.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bearer, createWorld, open, PRACTICE_ID, user, type ErrorBody } from '../fixture.ts';

const ENTITY = { entity_type: 'goal', entity_id: '1' };
const UNFIT: [
  send: { method: 'POST' | 'PATCH'; url: string; payload?: object },
  message: string,
  problems: string[],
][] = [
  [
    { method: 'PATCH', url: '/schedules/x' },
    'The body is missing: it must have at least 1 of enabled, cron, every_ms, timezone.',
    [' must have at least 1 of enabled, cron, every_ms, timezone'],
  ],
  [
    { method: 'PATCH', url: '/schedules/x', payload: {} },
    'The body must have at least 1 of enabled, cron, every_ms, timezone.',
    [' must have at least 1 of enabled, cron, every_ms, timezone'],
  ],
  [
    { method: 'PATCH', url: '/schedules/x', payload: { cron: 5, every_ms: 5 } },
    'cron (body) must be a string or null.',
    ['/cron must be a string or null', '/every_ms must be at least 1000'],
  ],
  [
    { method: 'POST', url: '/events/view' },
    'The body is missing: entity_type is required.',
    ['/entity_type is required', '/entity_id is required'],
  ],
  [
    { method: 'POST', url: '/events/view', payload: { ...ENTITY, entity_id: '' } },
    'entity_id (body) must have at least 1 character.',
    ['/entity_id must have at least 1 character'],
  ],
  [
    { method: 'POST', url: '/events/view', payload: { ...ENTITY, page: 'x'.repeat(513) } },
    'page (body) must have at most 512 characters.',
    ['/page must have at most 512 characters'],
  ],
  [
    { method: 'POST', url: '/events', payload: { events: [] } },
    'events (body) must have at least 1 item.',
    ['/events must have at least 1 item'],
  ],
];

for (const [send, message, problems] of UNFIT) {
  test(`what does not fit is told in plain words: ${message}`, async (t) => {
    const app = await open(t, createWorld());
    const headers = await bearer(user({ roles: ['user', 'admin'] }));
    const { error } = (await app.inject({ ...send, headers })).json<ErrorBody>();
    assert.equal(error.message, message);
    const details = error.details as { field: string; problem: string }[];
    assert.deepEqual(
      details.map(({ field, problem }) => `${field} ${problem}`),
      problems,
    );
  });
}

test('a time that is none is told what one looks like', async (t) => {
  const app = await open(t, createWorld());
  const headers = await bearer();
  const event = { ...ENTITY, event_id: PRACTICE_ID, event_type: 'like', occurred_at: 'today' };
  const answer = await app.inject({
    method: 'POST',
    url: '/events',
    headers,
    payload: { events: [event] },
  });
  const { rejected } = answer.json<{ rejected: { message: string }[] }>();
  assert.deepEqual(
    rejected.map(({ message }) => message),
    [
      'occurred_at (event) must be a date and time with an offset, for example 2026-03-01T02:00:00Z.',
    ],
  );
});
