/**
 * Schedules that are run by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../../base/errors.ts';
import { database, finishAll, inspector, START, World } from '../../../support/beat.ts';
import { eventually } from '../../../support/queue/consumers.ts';

const MINUTE_MS = 60_000;

test('run now starts what a schedule does, also a paused one, and never beside itself', async () => {
  const world = new World();
  const { book } = world;
  const name = world.add({ everyMs: MINUTE_MS, enabled: false });
  const { next: expected } = await book.find(name);
  const taskId = await book.run(name, 'me');
  await eventually(
    'the queue has it',
    async () => (await inspector.status(taskId)).state === 'pending',
  );
  await assert.rejects(book.run(name, 'me'), (error: unknown) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'SCHEDULE_RUNNING');
    assert.match(error.message, /has not ended/);
    return true;
  });
  const { past, next } = await book.find(name);
  assert.deepEqual(
    past.map((run) => [run.taskId, run.askedBy, run.outcome, run.status]),
    [[taskId, 'me', 'fired', 'queued']],
  );
  assert.deepEqual(next, expected);
  await finishAll();
  assert.notEqual(await book.run(name, 'me'), taskId);
  const { rows } = await database.pool.query(
    `SELECT FROM ai.schedule_changes WHERE schedule = $1 AND action = 'run'`,
    [name],
  );
  assert.equal(rows.length, 2);
});

test('a run by hand takes no slot away from the timetable', async () => {
  const world = new World();
  const { book } = world;
  const name = world.add({ everyMs: MINUTE_MS, enabled: false });
  await book.edit(name, { enabled: true }, 'me');
  world.nowMs = START + MINUTE_MS;
  await book.run(name, 'me');
  await finishAll();
  await world.lookAt(MINUTE_MS);
  const { past } = await book.find(name);
  assert.deepEqual(
    past.slice(0, 2).map(({ slot, askedBy, outcome }) => [slot.getTime(), askedBy, outcome]),
    [
      [world.nowMs, null, 'fired'],
      [world.nowMs - 1, 'me', 'fired'],
    ],
  );
});
