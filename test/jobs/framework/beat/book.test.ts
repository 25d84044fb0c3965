import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { AppError, type ErrorCode } from '../../../../base/errors.ts';
import {
  ScheduleBook,
  type ScheduleBookDependencies,
} from '../../../../jobs/framework/beat/book.ts';
import { defineSchedule } from '../../../../jobs/framework/beat/schedule.ts';
import { Broker } from '../../../../jobs/queue/index.ts';
import { Enqueuer } from '../../../../jobs/framework/calls/enqueue.ts';
import { TASKS } from '../../../../jobs/tasks.ts';
import { sweepFeedback } from '../../../../jobs/feedback/sweep-task.ts';
import { fireDue } from '../../../../scheduler/beat.ts';
import { Telemetry } from '../../../../base/telemetry/telemetry.ts';
import {
  createTestDatabase,
  lockAwaited,
  type TestDatabase,
} from '../../../support/stores/postgres.ts';
import { createTestRedis, type TestRedis } from '../../../support/stores/redis.ts';

let database: TestDatabase;
let redis: TestRedis;
let broker: Broker;
let deps: ScheduleBookDependencies;
let book: ScheduleBook;
let nowMs = Date.parse('2026-03-07T12:00:00Z');

before(async () => {
  database = await createTestDatabase();
  redis = createTestRedis();
  broker = new Broker({ url: redis.url, prefix: redis.prefix });
  await broker.open();
  const db = database.pool;
  deps = {
    db,
    enqueuer: new Enqueuer({ db, broker, tasks: TASKS, queues: [], deferred: () => undefined }),
    schedules: [
      defineSchedule({
        name: 'nightly',
        cron: '30 2 * * *',
        timezone: 'America/New_York',
        call: sweepFeedback.s({}),
      }),
      defineSchedule({ name: 'often', everyMs: 60_000, call: sweepFeedback.s({}), enabled: false }),
    ],
    telemetry: new Telemetry(),
    clock: async () => new Date(nowMs),
  };
  book = new ScheduleBook(deps);
});
after(async () => {
  broker.close();
  await redis.clear();
  await database.drop();
});

test('a book of more schedules than GET /schedules may list is not made', () => {
  const { call } = deps.schedules[0]!;
  const schedules = Array.from({ length: 1001 }, (_, n) =>
    defineSchedule({ name: `s-${n}`, everyMs: 60_000, call }),
  );
  assert.throws(() => new ScheduleBook({ ...deps, schedules }), /1001 schedules: at most 1000/);
  assert.ok(new ScheduleBook({ ...deps, schedules: schedules.slice(1) }));
});

const refused = (work: Promise<unknown>, code: ErrorCode, message: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

/** Rounds until nothing is due. */
async function fireAll(): Promise<void> {
  while ((await fireDue(deps)) <= 0);
}

const finishAll = () =>
  database.pool.query(
    `UPDATE ai.tasks SET status = 'done', finished_at = now() WHERE finished_at IS NULL`,
  );

test('shows what comes, by the clocks of its zone, with a word about their changes', async () => {
  const [nightly, often] = await book.list();
  assert.deepEqual(
    nightly!.next.slice(0, 3).map(({ at, local }) => [at.toISOString(), local]),
    [
      ['2026-03-08T07:00:00.000Z', '2026-03-08T03:00:00-04:00'],
      ['2026-03-09T06:30:00.000Z', '2026-03-09T02:30:00-04:00'],
      ['2026-03-10T06:30:00.000Z', '2026-03-10T02:30:00-04:00'],
    ],
  );
  assert.match(nightly!.next[0]!.note!, /go forward from 02:00 to 03:00/);
  assert.deepEqual(
    nightly!.next.slice(1).map(({ note }) => note),
    [null, null, null, null],
  );
  assert.deepEqual([often!.plan.isEnabled, often!.next, often!.past], [false, [], []]);
});

test('what comes twice is marked', async () => {
  const { next } = await book.edit('nightly', { cron: '30 1 1 11 *' }, 'me');
  assert.equal(next[0]!.local, '2026-11-01T01:30:00-04:00');
  assert.match(next[0]!.note!, /show this time twice/);
  assert.equal(next[1]!.note, null);
});

test('an edit holds for every process, is signed, and can be taken back', async () => {
  const by = randomUUID();
  await book.edit('nightly', { cron: '0 4 * * *', timezone: 'UTC' }, by);
  const again = await new ScheduleBook(deps).find('nightly');
  assert.deepEqual(
    [again.plan.written.cron, again.plan.written.timezone, again.row.editedBy],
    ['0 4 * * *', 'UTC', by],
  );
  // An interval takes the place of the expression.
  const every = await book.edit('nightly', { everyMs: 90_000 }, by);
  assert.deepEqual([every.plan.written.cron, every.plan.written.everyMs], [undefined, 90_000]);
  const reset = { cron: null, everyMs: null, timezone: null, enabled: null };
  const back = await book.edit('nightly', reset, by);
  assert.deepEqual([back.row.edits, back.plan.written.cron], [{}, '30 2 * * *']);
  const changes = (await book.changes('nightly')).filter((change) => change.by === by);
  assert.deepEqual(
    changes.map(({ action, details }) => [action, details]),
    [
      ['edited', { from: { everyMs: 90_000, timezone: 'UTC' }, to: {} }],
      [
        'edited',
        {
          from: { cron: '0 4 * * *', timezone: 'UTC' },
          to: { everyMs: 90_000, timezone: 'UTC' },
        },
      ],
      ['edited', { from: { cron: '30 1 1 11 *' }, to: { cron: '0 4 * * *', timezone: 'UTC' } }],
    ],
  );
});

test('what says the same as the code is no edit, and changes nothing of what is owed', async () => {
  const asCode = { enabled: true, cron: '30 2 * * *', timezone: 'America/New_York' };
  await fireDue(deps);
  const found = await book.find('nightly');
  nowMs += 36 * 3_600_000;
  const same = await book.edit('nightly', asCode, 'somebody');
  assert.deepEqual(same.row, found.row);
  assert.ok((await book.changes('nightly')).every(({ by }) => by !== 'somebody'));
  const heard: unknown[] = [];
  const stop = deps.telemetry.on(
    (event, fields) => event === 'schedule.missed' && heard.push(fields),
  );
  await book.edit('nightly', { cron: '0 5 * * *' }, 'me');
  stop();
  const since = '2026-03-08T07:00:00.000Z';
  assert.deepEqual(heard, [{ schedule: 'nightly', since }], 'an edit drops what was owed, aloud');
  const resumed = await book.edit('nightly', { cron: null }, 'me');
  assert.deepEqual(resumed.row.edits, {});
});

test('an edit that no timetable can be made of any more is shown, and can be taken back', async () => {
  await database.pool.query(
    `UPDATE ai.schedules SET edits = '{"cron": "no"}' WHERE name = 'often'`,
  );
  const [nightly, often] = await book.list();
  assert.equal(nightly!.problem, undefined);
  assert.match(often!.problem!, /^cron "no"/);
  assert.deepEqual(often!.next, []);
  const mended = await book.edit('often', { cron: null }, 'me');
  assert.deepEqual([mended.problem, mended.row.edits], [undefined, {}]);
});

test('an edit waits for whoever holds the schedule', async () => {
  const holder = await database.pool.connect();
  await holder.query('BEGIN');
  await holder.query(`SELECT FROM ai.schedules WHERE name = 'nightly' FOR UPDATE`);
  const edit = book.edit('nightly', { enabled: false }, 'me');
  await lockAwaited(database.pool);
  await holder.query('COMMIT');
  holder.release();
  assert.equal((await edit).plan.isEnabled, false);
  await book.edit('nightly', { enabled: true }, 'me');
});

test('what lies behind an edit or a pause is not due', async () => {
  const day = 24 * 3_600_000;
  await fireDue(deps);
  await book.edit('nightly', { enabled: false }, 'me');
  nowMs += 3 * day;
  await fireDue(deps);
  await book.edit('nightly', { enabled: null }, 'me');
  await fireAll();
  assert.deepEqual((await book.find('nightly')).past, []);
  nowMs += day;
  await fireAll();
  const { past } = await book.find('nightly');
  assert.deepEqual(
    past.map(({ outcome, missedSince, status }) => [outcome, missedSince, status]),
    [['fired', null, 'queued']],
  );
  await finishAll();
});

test('what cannot be kept is refused, and nothing is changed', async () => {
  const { row } = await book.find('nightly');
  const invalid = [
    { edits: { cron: '0 0 31 2 *' }, message: /no such date exists/ },
    {
      edits: { timezone: 'Asia/Taipe' },
      message: /no such time zone. Did you mean Asia\/Taipei\?/,
    },
    { edits: { timezone: '+08:00' }, message: /zone/ },
    { edits: { everyMs: 10 }, message: /from 1000 to/ },
    { edits: { everyMs: 60_000, cron: '* * * * *' }, message: /either cron or everyMs/ },
  ];
  for (const { edits, message } of invalid) {
    await refused(book.edit('nightly', edits, 'me'), 'SCHEDULE_INVALID', message);
  }
  await refused(book.edit('nightli', {}, 'me'), 'SCHEDULE_NOT_FOUND', /Did you mean nightly\?/);
  await refused(book.run('nope', 'me'), 'SCHEDULE_NOT_FOUND', /no schedule of that name/);
  assert.deepEqual((await book.find('nightly')).row, row);
});
