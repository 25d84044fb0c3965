/** `ctx.snooze`: later, without using up an attempt, a bounded number of times and for a bounded time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskContext } from '../../../jobs/framework/context.ts';
import { readPolicy } from '../../../jobs/framework/policy.ts';
import { MAX_SNOOZE_MS, MAX_SNOOZES, Snooze } from '../../../jobs/framework/errors.ts';
import { judgeEnd } from '../../../workers/main/settle.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import { decide } from '../../../workers/retry-decision.ts';
import {
  accepted,
  database,
  live,
  rowOf,
  scope,
  transient,
} from '../../support/threads/attempts.ts';

const DAY_MS = 86_400_000;
const snooze = async (ctx: TaskContext) => ctx.snooze(60_000);

test('a durable task that snoozes waits in its row, uncharged', async () => {
  const job = await accepted(snooze);
  const end = await attempt(job, scope, live);
  assert.deepEqual(end, { kind: 'snoozed', delayMs: 60_000, snoozes: 1 });
  const { status, attempts, delay_ms: delayMs, error_code: code } = await rowOf(job);
  assert.deepEqual([status, attempts, code], ['queued', 0, null]);
  assert.ok(delayMs! > 50_000 && delayMs! <= 60_000);
  assert.deepEqual(await attempt(job, scope, live), { ...end, snoozes: 2 });
});

test('a durable task that has snoozed too often is charged: its row counts', async () => {
  const job = await accepted(async (ctx) => ctx.snooze(30_000));
  await database.pool.query('UPDATE ai.tasks SET snoozes = $2 WHERE id = $1', [
    job.id,
    MAX_SNOOZES,
  ]);
  const end = await attempt(job, scope, live);
  assert.ok(end.kind === 'retry');
  assert.deepEqual([end.code, end.delayMs, end.attempts], ['TASK_RETRIED', 30_000, 1]);
  assert.match(end.message, /100 times/);
});

test('a transient task that has snoozed too often is charged: the queue counts', async () => {
  const job = transient(snooze);
  assert.deepEqual(await attempt(job, scope, live), {
    kind: 'snoozed',
    delayMs: 60_000,
    snoozes: 1,
  });
  const last = await attempt({ ...job, snoozes: MAX_SNOOZES - 1 }, scope, live);
  assert.equal(last.kind, 'snoozed');
  const end = await attempt({ ...job, snoozes: MAX_SNOOZES }, scope, live);
  assert.deepEqual([end.kind, end.kind === 'retry' && end.attempts], ['retry', 1]);
});

test('no snooze reaches past a week after the request', () => {
  const policy = readPolicy({ name: 'test' });
  const of = (ms: number, nowMs: number) =>
    decide(new Snooze(ms), { attempts: 0, askedMs: 0, snoozes: 3 }, policy, nowMs).kind;
  assert.equal(of(DAY_MS, 6 * DAY_MS), 'snoozed');
  assert.equal(of(DAY_MS + 1, 6 * DAY_MS), 'retry');
});

test('the queue learns of a snooze, and that the job is no suspect', () => {
  const delivery = {
    job: { id: 'x', task: 'test' },
    counts: { attempts: 1, deaths: 1, mark: 's' },
  } as Parameters<typeof judgeEnd>[0];
  const { settlement } = judgeEnd(delivery, { kind: 'snoozed', delayMs: 5, snoozes: 2 });
  const counts = { attempts: 1, deaths: 1, mark: '', snoozes: 2 };
  assert.deepEqual(settlement, { kind: 'back', delayMs: 5, counts });
});

for (const ms of [0, 1.5, Number.NaN, MAX_SNOOZE_MS + 1, '60000' as unknown as number]) {
  test(`ctx.snooze(${ms}) is a mistake of the task, which is charged`, async () => {
    const end = await attempt(await accepted(async (ctx) => ctx.snooze(ms)), scope, live);
    assert.ok(end.kind === 'retry');
    assert.match(end.cause?.message ?? '', /ctx\.snooze takes a whole number/);
  });
}
