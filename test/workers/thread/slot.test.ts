/** A task that a schedule started knows the slot it stands for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { transaction } from '../../../db/stores/postgres.ts';
import { fire } from '../../../jobs/framework/beat/fire.ts';
import { defineSchedule } from '../../../jobs/framework/beat/schedule.ts';
import { Enqueuer } from '../../../jobs/framework/calls/enqueue.ts';
import { defineTask } from '../../../jobs/define.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import {
  accepted,
  broker,
  database,
  live,
  register,
  scope,
  transient,
} from '../../support/threads/attempts.ts';

const slots: (Date | undefined)[] = [];
const scheduled = defineTask({
  name: 'test.of_a_slot',
  payload: Type.Object({}),
  result: Type.Null(),
  async run(_, ctx) {
    slots.push(ctx.job.slot);
    if (ctx.job.attempt === 1) ctx.retry();
    return null;
  },
});
register(scheduled);

test('ctx.job.slot is the time of the slot, also after a retry', async () => {
  const { tasks } = scope;
  const db = database.pool;
  const enqueuer = new Enqueuer({ db, broker, tasks, queues: [], deferred: () => undefined });
  const call = scheduled.s({}, { headers: { a: 'b' } });
  const schedule = defineSchedule({ name: 'test-slot', cron: '0 2 * * *', call });
  const slot = new Date('2026-03-01T18:00:00Z');
  const due = { slot, firedAt: new Date() };
  const fired = await transaction(db, (tx) => fire(tx, enqueuer, schedule, due));
  const about = { id: fired!.taskId, task: scheduled.name, queue: 'default', payload: '{}' };
  const job = { ...about, headers: { a: 'b' }, attempts: 0, createdAtMs: Date.now() };
  assert.equal((await attempt(job, scope, live)).kind, 'retry');
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  assert.deepEqual(slots, [slot, slot]);
});

test('ctx.job.slot is undefined for other tasks', async () => {
  const seen: unknown[] = [];
  const job = await accepted(async (ctx) => {
    seen.push(ctx.job.slot);
    return null;
  });
  await attempt(job, scope, live);
  await attempt(
    transient(async (ctx) => seen.push(ctx.job.slot)),
    scope,
    live,
  );
  assert.deepEqual(seen, [undefined, undefined]);
});
