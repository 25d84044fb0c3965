import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSlots, forgetSchedules } from '../../db/tasks/schedules.ts';
import { defineSchedule } from '../../jobs/framework/beat/schedule.ts';
import { fireDue } from '../../scheduler/beat.ts';
import {
  database,
  finishAll,
  HOUR_MS,
  inspector,
  slots,
  START,
  task,
  tasks,
  World,
} from '../support/beat.ts';
import { eventually } from '../support/queue/consumers.ts';

test('a slot fires once, when it is due, as a durable task that the queue gets', async () => {
  const world = new World();
  const name = world.add();
  await world.lookAt(0);
  await world.lookAt(HOUR_MS - 1);
  assert.deepEqual(await slots(name), []);
  for (const lateMs of [3, 4, HOUR_MS - 1]) await world.lookAt(HOUR_MS + lateMs);
  assert.deepEqual(await slots(name), [[HOUR_MS, 'fired']]);
  const [row, ...more] = await tasks();
  assert.deepEqual([row!.payload, more], [{ word: 'hi' }, []]);
  await eventually(
    'the queue has it',
    async () => (await inspector.status(row!.id)).state === 'pending',
  );
  assert.deepEqual(world.told, [
    {
      event: 'schedule.fired',
      fields: {
        schedule: name,
        slot: new Date(START + HOUR_MS).toISOString(),
        taskId: row!.id,
        latenessMs: 3,
      },
    },
  ]);
});

test('one that is new begins now, and owes nothing', async () => {
  const world = new World();
  const name = world.add({ catchUp: 'all', overlap: 'allow' });
  await world.lookAt(10.5 * HOUR_MS);
  assert.deepEqual(await slots(name), []);
  await world.lookAt(11 * HOUR_MS);
  assert.deepEqual(await slots(name), [[11 * HOUR_MS, 'fired']]);
});

test('what nobody was there for is caught up with as was asked', async () => {
  const world = new World();
  const overlap = 'allow';
  const all = world.add({ catchUp: 'all', overlap });
  const latest = world.add({ catchUp: 'latest', overlap });
  const none = world.add({ catchUp: 'none', overlap });
  await world.lookAt(0);
  await world.lookAt(3.5 * HOUR_MS);
  assert.deepEqual(await slots(all), [
    [HOUR_MS, 'fired'],
    [2 * HOUR_MS, 'fired'],
    [3 * HOUR_MS, 'fired'],
  ]);
  assert.deepEqual(await slots(latest), [[3 * HOUR_MS, 'fired']]);
  assert.deepEqual(await slots(none), []);
  const [last] = await findSlots(database.pool, latest, 1);
  assert.equal(last!.missedSince?.getTime(), START + HOUR_MS);
  const missed = world.told.flatMap(({ event, fields }) =>
    event === 'schedule.missed' ? [fields] : [],
  );
  const since = new Date(START + HOUR_MS).toISOString();
  assert.deepEqual(
    missed,
    [latest, none].map((schedule) => ({ schedule, since })),
  );
  // A minute late is not yet missed.
  await world.lookAt(4 * HOUR_MS + 60_000);
  await world.lookAt(5 * HOUR_MS + 60_002);
  assert.deepEqual(await slots(none), [[4 * HOUR_MS, 'fired']]);
});

test('thousands of missed slots fire page by page', async () => {
  const world = new World();
  const name = world.add({ everyMs: 1000, catchUp: 'all', overlap: 'allow' });
  await world.lookAt(0);
  world.nowMs = START + 1_250_000;
  await fireDue(world.options);
  assert.equal((await slots(name)).length, 100, 'a page in each transaction');
  await world.lookAt(1_250_000);
  const found = await slots(name);
  assert.equal(found.length, 1000);
  const { rows } = await database.pool.query<{ n: number; first: Date }>(
    'SELECT count(*)::int AS n, min(slot) AS first FROM ai.schedule_slots',
  );
  assert.deepEqual([rows[0]!.n, rows[0]!.first.getTime()], [1250, START + 1000]);
});

test('a task that has not ended keeps the next one from starting, unless both may run', async () => {
  const world = new World();
  const [skip, allow] = [world.add(), world.add({ overlap: 'allow' })];
  await world.lookAt(0);
  for (const hour of [1, 2]) await world.lookAt(hour * HOUR_MS);
  await finishAll();
  await world.lookAt(3 * HOUR_MS);
  assert.deepEqual(await slots(skip), [
    [HOUR_MS, 'fired'],
    [2 * HOUR_MS, 'skipped'],
    [3 * HOUR_MS, 'fired'],
  ]);
  assert.equal((await slots(allow)).filter(([, outcome]) => outcome === 'fired').length, 3);
  const past = await findSlots(database.pool, skip, 3);
  assert.equal(past[1]!.taskId, past[2]!.taskId, 'the one that had not ended is named');
  assert.equal((await tasks()).length, 5);
});

test('jitter puts the start off, the same whoever asks, and never beyond what was allowed', async () => {
  const world = new World();
  const name = world.add({ jitterMs: 60_000, catchUp: 'all', overlap: 'allow' });
  await world.lookAt(0);
  await world.lookAt(20 * HOUR_MS);
  const late = (await tasks()).map(({ runAtMs }) => (runAtMs - START) % HOUR_MS);
  assert.equal(late.length, 20);
  assert.ok(late.every((ms) => ms >= 0 && ms < 60_000));
  assert.ok(new Set(late).size > 15, 'they are spread');
  await database.pool.query('TRUNCATE ai.tasks, ai.schedules, ai.schedule_slots CASCADE');
  await world.lookAt(0);
  await world.lookAt(20 * HOUR_MS);
  assert.deepEqual(
    (await tasks()).map(({ runAtMs }) => (runAtMs - START) % HOUR_MS),
    late,
  );
  assert.equal((await slots(name)).length, 20);
});

test('a schedule that is in no code any more is forgotten, and owes nothing when it comes back', async () => {
  const world = new World();
  const overlap = 'allow';
  const [gone, edited, kept] = [
    world.add({ catchUp: 'all', overlap }),
    world.add(),
    world.add({ cron: '0 0 1 1 *' }),
  ];
  // By the clock of Postgres, which forgetting goes by.
  const sinceMs = Date.now() - START - 2 * HOUR_MS;
  await world.lookAt(sinceMs);
  await world.book.edit(edited, { enabled: false }, 'me');
  const removed = world.schedules.splice(0, 2);
  for (let minute = 0; minute <= 120; minute++) await world.lookAt(sinceMs + minute * 60_000);
  await forgetSchedules(database.pool, [kept], HOUR_MS);
  const { rows } = await database.pool.query<{ name: string }>('SELECT name FROM ai.schedules');
  assert.deepEqual(
    new Set(rows.map(({ name }) => name)),
    new Set([edited, kept]),
    'one that is rarely due is kept, and what an operator said of another',
  );
  world.schedules.push(...removed);
  const comesBackMs = Math.floor(sinceMs / HOUR_MS) * HOUR_MS + 5 * HOUR_MS;
  await world.lookAt(comesBackMs + HOUR_MS / 2);
  await world.lookAt(comesBackMs + HOUR_MS);
  assert.deepEqual(await slots(gone), [[comesBackMs + HOUR_MS, 'fired']]);
  assert.deepEqual(await slots(edited), []);
});

test('code that says another time is followed from then on', async () => {
  const world = new World();
  const name = world.add({ cron: '0 12 * * *', timezone: 'UTC' });
  await world.lookAt(0);
  for (let minute = 0; minute < 120; minute++) await world.lookAt(minute * 60_000);
  world.schedules[0] = defineSchedule({
    name,
    call: task.s({ word: 'hi' }),
    cron: '30 * * * *',
    timezone: 'UTC',
  });
  await world.lookAt(2 * HOUR_MS);
  assert.deepEqual(await slots(name), [], 'what lies behind is not due');
  await world.lookAt(2.5 * HOUR_MS);
  assert.deepEqual(await slots(name), [[2.5 * HOUR_MS, 'fired']]);
});

test('nothing is due before the start or after the end', async () => {
  const world = new World();
  const name = world.add({
    startAt: new Date(START + 1.5 * HOUR_MS),
    endAt: new Date(START + 4 * HOUR_MS),
    overlap: 'allow',
  });
  for (let half = 0; half <= 12; half++) await world.lookAt((half * HOUR_MS) / 2);
  // Intervals are counted from the start.
  assert.deepEqual(await slots(name), [
    [1.5 * HOUR_MS, 'fired'],
    [2.5 * HOUR_MS, 'fired'],
    [3.5 * HOUR_MS, 'fired'],
  ]);
});

test('many processes that look at the same moment fire it once', async () => {
  const world = new World();
  const name = world.add({ everyMs: 1000, catchUp: 'all', overlap: 'allow' });
  await world.lookAt(0);
  for (let second = 1; second <= 20; second++) {
    world.nowMs = START + second * 1000;
    await Promise.all(Array.from({ length: 8 }, () => fireDue(world.options)));
  }
  assert.equal((await slots(name)).length, 20);
  assert.equal((await tasks()).length, 20);
});
