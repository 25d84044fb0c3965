/**
 * Beat when clocks are wrong, processes differ in their code, and rows are held.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markHandled, readSchedules } from '../../db/tasks/schedules.ts';
import { createPool, type Pool } from '../../db/stores/postgres.ts';
import { fireDue } from '../../scheduler/beat.ts';
import type { Events } from '../../base/telemetry/telemetry.ts';
import { eventually } from '../support/queue/consumers.ts';
import { database, finishAll, HOUR_MS, slots, START, tasks, World } from '../support/beat.ts';

const MINUTE_MS = 60_000;
const YEAR_HOURS = 24 * 365;

test('a clock that was a year ahead for a moment stops nothing', async () => {
  const world = new World();
  const name = world.add({ overlap: 'allow' });
  await world.lookAt(0);
  await world.lookAt(HOUR_MS);
  await world.lookAt(YEAR_HOURS * HOUR_MS);
  for (let half = 2; half <= 8; half++) await world.lookAt((half * HOUR_MS) / 2);
  assert.deepEqual(await slots(name), [
    [HOUR_MS, 'fired'],
    [2 * HOUR_MS, 'fired'],
    [3 * HOUR_MS, 'fired'],
    [4 * HOUR_MS, 'fired'],
    [YEAR_HOURS * HOUR_MS, 'fired'],
  ]);
  const rewound = world.told.filter(({ event }) => event === 'schedule.rewound');
  assert.deepEqual(
    rewound.map(({ fields }) => fields),
    [{ schedule: name, byMs: (YEAR_HOURS - 1) * HOUR_MS }],
  );
});

test('what fired while the clock was ahead does not fire when its time comes', async () => {
  const world = new World();
  const name = world.add({ catchUp: 'all', overlap: 'allow' });
  await world.lookAt(0);
  await world.lookAt(3 * HOUR_MS);
  for (let half = 1; half <= 8; half++) await world.lookAt((half * HOUR_MS) / 2);
  assert.deepEqual(
    await slots(name),
    [1, 2, 3, 4].map((hour) => [hour * HOUR_MS, 'fired']),
  );
  assert.equal((await tasks()).length, 4);
});

test('slots that only newer code knows are left to it, however late the older is', async () => {
  const older = new World();
  const name = older.add({ cron: '0 * * * *', timezone: 'UTC', overlap: 'allow' });
  const newer = new World();
  newer.add({ name, cron: '0,1,58 * * * *', timezone: 'UTC', overlap: 'allow' });
  await older.lookAt(0);
  // Idle, but not past what the newer one may be about to fire.
  await older.lookAt(58.5 * MINUTE_MS);
  await newer.lookAt(58.6 * MINUTE_MS);
  await older.lookAt(61.2 * MINUTE_MS);
  await newer.lookAt(61.3 * MINUTE_MS);
  assert.deepEqual(
    await slots(name),
    [58, 60, 61].map((minute) => [minute * MINUTE_MS, 'fired']),
  );
});

test('a task that its worker holds keeps its own schedule waiting, and no other', async (t) => {
  const world = new World();
  const [held, other] = [world.add(), world.add()];
  await world.lookAt(0);
  await world.lookAt(HOUR_MS);
  world.nowMs = START + 2 * HOUR_MS;
  const worker = await database.pool.connect();
  await worker.query('BEGIN');
  await worker.query(
    'SELECT FROM ai.tasks t JOIN ai.schedule_slots s ON s.task_id = t.id WHERE s.schedule = $1 FOR UPDATE OF t',
    [held],
  );
  // Of itself this pool gives no lock up: what waits for one is cut off, and tells of a failure.
  const patient = createPool(`${database.url}?lock_timeout=0`, { max: 2, name: 'patient' });
  t.after(() => patient.end());
  assert.equal(await fireDue({ ...world.options, db: patient }), 0);
  assert.equal((await slots(other)).length, 2);
  assert.equal((await slots(held)).length, 1);
  assert.deepEqual(
    world.told.filter(({ event }) => event === 'loop.failed'),
    [],
  );
  await worker.query('COMMIT');
  worker.release();
  await finishAll();
  while ((await fireDue(world.options)) <= 0);
  assert.deepEqual((await slots(held)).at(-1), [2 * HOUR_MS, 'fired']);
});

test('what is edited between the look and the lock holds', async () => {
  const world = new World();
  const name = world.add();
  await world.lookAt(0);
  world.nowMs = START + HOUR_MS;
  let looks = 0;
  const { pool } = database;
  const db = {
    query: pool.query.bind(pool),
    async connect() {
      if (looks++ === 0) await world.book.edit(name, { enabled: false }, 'me');
      return pool.connect();
    },
  } as Pool;
  await fireDue({ ...world.options, db });
  assert.deepEqual([looks > 0, await slots(name)], [true, []]);
});

test('a process that fires late does not overtake one that has moved the schedule on', async () => {
  const world = new World();
  const name = world.add({ everyMs: MINUTE_MS, overlap: 'allow' });
  await world.lookAt(0);
  await world.lookAt(10 * MINUTE_MS);
  await database.pool.query(
    `UPDATE ai.schedules SET handled_to = handled_to - interval '1 hour' WHERE name = $1`,
    [name],
  );
  await world.lookAt(10 * MINUTE_MS + 1);
  await markHandled(database.pool, name, new Date(START));
  const row = (await readSchedules(database.pool, [name], new Date())).get(name);
  assert.equal(row!.handledTo.getTime(), START + 10 * MINUTE_MS);
  assert.deepEqual(await slots(name), [[10 * MINUTE_MS, 'fired']]);
  assert.equal((await tasks()).length, 1);
});

test('a clock that jumps an hour ahead and back fires nothing twice, and nothing is lost', async () => {
  const world = new World();
  const name = world.add({ everyMs: 600_000, catchUp: 'all', overlap: 'allow' });
  await world.lookAt(0);
  await world.lookAt(HOUR_MS);
  await world.lookAt(2 * HOUR_MS);
  for (let minute = 61; minute <= 130; minute++) await world.lookAt(minute * 60_000);
  assert.deepEqual(
    await slots(name),
    Array.from({ length: 13 }, (_, index) => [(index + 1) * 600_000, 'fired']),
  );
  assert.equal((await tasks()).length, 13);
});

test('one that cannot be kept holds up no other', async () => {
  const world = new World();
  const [bad, good] = [world.add(), world.add()];
  await world.lookAt(0);
  await database.pool.query(`UPDATE ai.schedules SET edits = '{"cron": "no"}' WHERE name = $1`, [
    bad,
  ]);
  await world.lookAt(HOUR_MS);
  assert.deepEqual(await slots(good), [[HOUR_MS, 'fired']]);
  const failed = world.told.filter(({ event }) => event === 'loop.failed');
  assert.ok(failed.length > 0);
  assert.equal((failed[0]!.fields as Events['loop.failed']).loop, `beat of ${bad}`);
});

test('a process that dies between the lock and the commit leaves the slot to the others', async () => {
  const world = new World();
  const name = world.add();
  await world.lookAt(0);
  world.nowMs = START + HOUR_MS;
  const holder = await database.pool.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT FROM ai.schedules WHERE name = $1 FOR UPDATE', [name]);
  assert.equal(await fireDue(world.options), 50, 'it looks again soon');
  assert.deepEqual(await slots(name), []);
  holder.release(true);
  await eventually('it fires', async () => (await fireDue(world.options)) === 0);
  assert.deepEqual(await slots(name), [[HOUR_MS, 'fired']]);
});

test('a slot whose task could not be accepted stays due, and none of it is left', async () => {
  const world = new World();
  const name = world.add({ everyMs: 60_000, catchUp: 'all', overlap: 'allow' });
  await world.lookAt(0);
  world.nowMs = START + 180_000;
  let left = 2;
  const { enqueuer } = world.options;
  const failing = Object.assign(Object.create(enqueuer) as typeof enqueuer, {
    enqueueWithin: (...call: Parameters<typeof enqueuer.enqueueWithin>) =>
      left-- > 0 ? enqueuer.enqueueWithin(...call) : Promise.reject(new Error('as planned')),
  });
  await fireDue({ ...world.options, enqueuer: failing });
  assert.deepEqual([await slots(name), await tasks()], [[], []]);
  while ((await fireDue(world.options)) <= 0);
  assert.deepEqual(
    await slots(name),
    [60_000, 120_000, 180_000].map((ms) => [ms, 'fired']),
  );
  assert.equal((await tasks()).length, 3);
});

test('a process that is stopped while it holds a schedule is given up by Postgres', async (t) => {
  const world = new World();
  const name = world.add();
  await world.lookAt(0);
  world.nowMs = START + HOUR_MS;
  const stopped = createPool(database.url, { max: 1, name: 'stopped' });
  t.after(() => stopped.end());
  const client = await stopped.connect();
  client.on('error', () => undefined);
  await client.query('BEGIN');
  // Of itself Postgres waits for 5 s.
  await client.query(`SET LOCAL idle_in_transaction_session_timeout = '300ms'`);
  await client.query('SELECT FROM ai.schedules WHERE name = $1 FOR UPDATE', [name]);
  await eventually('it fires', async () => (await fireDue(world.options)) === 0);
  assert.deepEqual(await slots(name), [[HOUR_MS, 'fired']]);
  await assert.rejects(client.query('COMMIT'));
  client.release(true);
});
