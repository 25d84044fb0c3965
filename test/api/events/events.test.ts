/**
 * Telling what people do: what is taken, what is refused and why.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test, type TestContext } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { bearer, createWorld, open, user } from '../fixture.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

interface Body {
  accepted: number;
  rejected: { index: number; code: string; message: string }[];
}

async function client(t: TestContext) {
  const world = createWorld();
  world.deps.db = database.pool;
  const app = await open(t, world);
  const id = randomUUID();
  const headers = await bearer(user({ _id: id }));
  return {
    id,
    async send(payload: object, path = '') {
      const answer = await app.inject({ method: 'POST', url: `/events${path}`, headers, payload });
      return { status: answer.statusCode, body: answer.json<Body>() };
    },
    async stored() {
      const { rows } = await database.pool.query<Record<string, unknown>>(
        `SELECT event_id, event_type, entity_type, entity_id, page, duration_ms, value, match_reason
         FROM ai.events_outbox WHERE user_id = $1 ORDER BY received_at, event_id`,
        [id],
      );
      return rows;
    },
  };
}

const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
const HOUR_MS = 3_600_000;

function event(fields: object = {}) {
  return {
    event_id: randomUUID(),
    event_type: 'content_view',
    entity_type: 'practice',
    entity_id: randomUUID(),
    occurred_at: at(-1000),
    ...fields,
  };
}

const bad = (what: string, given: unknown, message: RegExp, code = 'EVENT_INVALID') => ({
  what,
  given,
  message,
  code,
});

const BAD = [
  bad('no object', 'view', /must be an object/),
  bad('nothing', null, /must be an object/),
  bad('an unknown type', event({ event_type: 'hug' }), /event_type .*must be one of page_view/),
  bad('an unknown thing', event({ entity_type: 'cat' }), /entity_type .*must be one of/),
  bad('an id that is none', event({ event_id: '7' }), /event_id .*UUID/),
  bad('a field too many', event({ mood: 'good' }), /unknown fields: mood/),
  bad('a field too few', event({ entity_id: undefined }), /entity_id/),
  bad('an empty entity', event({ entity_id: '' }), /entity_id/),
  bad(
    'a practice by a name',
    event({ entity_id: 'no-such' }),
    /entity_id .*UUID: the external id of a practice/,
  ),
  bad('a user by a number', event({ entity_type: 'user', entity_id: '7' }), /UUID/),
  bad('less than no time', event({ duration_ms: -1 }), /duration_ms .*at least 0/),
  bad('more than a day', event({ duration_ms: 86_400_001 }), /at most 86400000/),
  bad('half a millisecond', event({ duration_ms: 0.5 }), /duration_ms/),
  bad('a value beyond all', event({ value: 1e10 }), /at most 1000000000/),
  bad('a made up reason', event({ match_reason: 'luck' }), /match_reason/),
  bad('a long page', event({ page: 'x'.repeat(513) }), /page/),
  bad('a NUL', event({ page: 'a\0' }), /NUL/, 'TEXT_NOT_STORABLE'),
  bad('half an emoji', event({ entity_id: '\ud83d' }), /surrogates/, 'TEXT_NOT_STORABLE'),
  bad('a NUL in a name', event({ 'a\0': 1 }), /unknown fields/),
  bad('no time', event({ occurred_at: 'yesterday' }), /occurred_at/),
  bad('30 February', event({ occurred_at: '2026-02-30T00:00:00Z' }), /occurred_at/),
  bad(
    'a second that no clock here shows',
    event({ occurred_at: '9999-12-31T23:59:60Z' }),
    /occurred_at .*leap second/,
  ),
  bad('a progress without value', event({ event_type: 'read_progress' }), /0 to 100/),
  bad('101 per cent', event({ event_type: 'read_progress', value: 101 }), /0 to 100/),
  bad('a time spent without time', event({ event_type: 'time_spent' }), /duration_ms/),
  bad(
    'tomorrow',
    event({ occurred_at: at(10 * 60_000) }),
    /5 minutes in the future/,
    'EVENT_IN_FUTURE',
  ),
  bad('three days ago', event({ occurred_at: at(-49 * HOUR_MS) }), /48 hours/, 'EVENT_TOO_OLD'),
];

test('each bad event is rejected with its place and a reason, and spoils no other', async (t) => {
  const { send, stored } = await client(t);
  const good = event({ occurred_at: at(-47 * HOUR_MS), match_reason: 'tag_match', page: '' });
  const skewed = event({ occurred_at: at(60_000) });
  const events = [good, ...BAD.map(({ given }) => given), skewed];
  const { status, body } = await send({ events });
  assert.equal(status, 202);
  assert.equal(body.accepted, 2);
  assert.deepEqual(
    body.rejected.map(({ index, code }) => [index, code]),
    BAD.map(({ code }, index) => [index + 1, code]),
  );
  for (const [index, { message }] of body.rejected.entries()) {
    assert.match(message, BAD[index]!.message, BAD[index]!.what);
  }
  const ids = (await stored()).map((row) => row['event_id']);
  assert.deepEqual(new Set(ids), new Set([good.event_id, skewed.event_id]));
  assert.equal(ids.length, 2);
});

test('a time with any offset is stored as the instant it names', async (t) => {
  const { id, send } = await client(t);
  const instant = at(-HOUR_MS);
  const local = (hours: number, offset: string) =>
    new Date(Date.parse(instant) + hours * HOUR_MS).toISOString().replace('Z', offset);
  const times = [
    instant,
    instant.toLowerCase(),
    local(8, '+08:00'),
    local(-12, '-12:00'),
    // Postgres refuses these offsets, which RFC 3339 knows.
    local(16, '+16:00'),
    local(23, '+23:00'),
  ];
  const events = times.map((occurred_at) => event({ occurred_at, value: 5e-324 }));
  const { status, body } = await send({ events });
  assert.deepEqual([status, body], [202, { accepted: times.length, rejected: [] }]);
  const { rows } = await database.pool.query<{ occurred_at: Date }>(
    'SELECT occurred_at FROM ai.events_outbox WHERE user_id = $1',
    [id],
  );
  assert.deepEqual(
    rows.map((row) => row.occurred_at.toISOString()),
    times.map(() => instant),
  );
});

test('what comes after the 500th is rejected, and a repeat is accepted and stored once', async (t) => {
  const { send, stored } = await client(t);
  const events = Array.from({ length: 501 }, () => event());
  const { status, body } = await send({ events });
  assert.equal(status, 202);
  const rejected = [
    { index: 500, code: 'EVENTS_TOO_MANY', message: 'A request may contain at most 500 events.' },
  ];
  assert.deepEqual(body, { accepted: 500, rejected });
  assert.equal((await send({ events: events.slice(0, 10) })).body.accepted, 10);
  assert.equal((await stored()).length, 500);
});

test('500 events with the longest pages are one request, and a larger one is refused', async (t) => {
  const { send, stored } = await client(t);
  const page = '😀'.repeat(512);
  const events = Array.from({ length: 500 }, () => event({ page, match_reason: 'tag_match' }));
  assert.deepEqual((await send({ events })).body, { accepted: 500, rejected: [] });
  assert.equal((await stored()).length, 500);
  const tooMany = Array.from({ length: 5 }, () => events).flat();
  assert.equal((await send({ events: tooMany })).status, 413);
  assert.equal(
    (await send({ entity_type: 'page', entity_id: 'x'.repeat(300_000) }, '/view')).status,
    413,
  );
});

test('a body that is no batch is refused as a whole', async (t) => {
  const { send, stored } = await client(t);
  for (const payload of [
    {},
    { events: [] },
    { events: 'all' },
    { events: [event()], more: 1 },
    { events: [event()], 'a\0': 1 },
  ]) {
    assert.equal((await send(payload)).status, 400, JSON.stringify(payload));
  }
  assert.deepEqual(await stored(), []);
});

test('a view, a progress and a time spent make one event each', async (t) => {
  const { send, stored } = await client(t);
  const about = { entity_type: 'practice', entity_id: randomUUID() };
  const repeated = randomUUID();
  await send({ ...about, page: '/p' }, '/view');
  await send({ ...about, value: 40, event_id: repeated }, '/progress');
  await send({ ...about, value: 40, event_id: repeated }, '/progress');
  assert.deepEqual((await send({ ...about, duration_ms: 1500 }, '/time-spent')).body, {
    accepted: 1,
    rejected: [],
  });
  const none = { page: null, duration_ms: null, value: null, match_reason: null };
  assert.deepEqual(
    (await stored()).map(({ event_id: id, ...row }) => (assert.ok(id), row)),
    [
      { ...none, ...about, event_type: 'content_view', page: '/p' },
      { ...none, ...about, event_type: 'read_progress', value: 40 },
      { ...none, ...about, event_type: 'time_spent', duration_ms: 1500 },
    ],
  );
  assert.equal((await send({ ...about, value: 101 }, '/progress')).status, 400);
});

test('a practice is told of by its external id, in either case; other things by what they are called', async (t) => {
  const { send, stored } = await client(t);
  const id = randomUUID();
  for (const [path, rest] of [
    ['/view', {}],
    ['/progress', { value: 1 }],
    ['/time-spent', { duration_ms: 1 }],
  ] as const) {
    const answer = await send({ entity_type: 'practice', entity_id: 'p-1', ...rest }, path);
    assert.equal(answer.status, 400, path);
    assert.match(JSON.stringify(answer.body), /entity_id \(body\) must be a UUID/);
  }
  await send({ entity_type: 'practice', entity_id: id.toUpperCase() }, '/view');
  await send({ events: [event({ entity_id: id.toUpperCase() })] });
  await send({ entity_type: 'page', entity_id: 'About' }, '/view');
  assert.deepEqual(
    (await stored()).map((row) => row['entity_id']),
    [id, id, 'About'],
  );
});

test('without Postgres nothing is accepted', async (t) => {
  const world = createWorld();
  const gone = Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
  world.deps.db = { query: () => Promise.reject(gone) };
  const app = await open(t, world);
  const headers = await bearer();
  const payload = { events: [event()] };
  const answer = await app.inject({ method: 'POST', url: '/events', headers, payload });
  assert.equal(answer.statusCode, 503);
});
