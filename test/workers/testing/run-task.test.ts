/** Inline mode: one attempt at a task, without Redis or threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { definerOf } from '../../../jobs/framework/define.ts';
import { Reject, Retry } from '../../../jobs/framework/errors.ts';
import { runTask } from '../../../workers/testing/run-task.ts';
import { database } from '../../support/durable.ts';

const defineTask = definerOf<{ price: number }>();
const payload = Type.Object({ n: Type.Integer() });
const about = { payload, result: Type.Integer(), maxRetries: 2 };

const cost = defineTask({
  ...about,
  name: 'test.cost',
  durable: false,
  backoff: { delayMs: 700, jitter: 'none' },
  async run({ n }, ctx) {
    if (n === 0) throw new Reject('PRACTICE_NOT_FOUND', 'Nothing to count.');
    if (n === 1) throw new Retry('LLM_UNAVAILABLE', 'Busy.', { countdownMs: 5000 });
    if (n === 2) throw new Error('odd');
    return n * ctx.price;
  },
});

const save = defineTask({
  ...about,
  name: 'test.save',
  async run({ n }, ctx) {
    const first = await ctx.step('first', async () => ctx.job.attempt);
    await ctx.transaction('write', async (tx) => {
      await tx.enqueue(save.s({ n: 7 }));
      await tx.query("SELECT set_config('test.n', $1, true)", [String(n)]);
      if (n === 13) throw new Error('rolled back');
    });
    await ctx.enqueue(cost.s({ n }));
    if (ctx.job.attempt === 1) ctx.retry({ countdownMs: 10, reason: 'once more' });
    return first;
  },
});

test('runTask returns the typed result, with the resources in ctx, and uses no store', async () => {
  const { kind, ...rest } = await runTask(cost, { n: 4 }, { price: 3 });
  assert.equal(kind, 'succeeded');
  assert.ok('result' in rest);
  const result: number = rest.result;
  assert.equal(result, 12);
});

test('runTask shows what was thrown: a Reject, a Retry and any other error', async () => {
  const of = async (n: number, attempts = 0) => {
    const end = await runTask(cost, { n }, { price: 1 }, { attempts });
    assert.ok(end.kind === 'retry' || end.kind === 'failed');
    return [end.kind, end.code, end.kind === 'retry' ? end.delayMs : end.message, end.attempts];
  };
  assert.deepEqual(await of(0), ['failed', 'PRACTICE_NOT_FOUND', 'Nothing to count.', 1]);
  assert.deepEqual(await of(1), ['retry', 'LLM_UNAVAILABLE', 5000, 1]);
  assert.deepEqual(await of(2), ['retry', 'TASK_FAILED', 700, 1]);
  assert.deepEqual((await of(2, 2)).slice(0, 2), ['failed', 'TASK_FAILED']);
});

test('runTask refuses what a call refuses, and says that a durable task needs a db', async () => {
  const bad = { n: 'x' } as unknown as { n: number };
  await assert.rejects(runTask(cost, bad, { price: 1 }), { code: 'TASK_PAYLOAD_INVALID' });
  const call = { countdownMS: 1 } as object;
  const code = 'TASK_OPTION_INVALID';
  await assert.rejects(runTask(cost, { n: 4 }, { price: 1 }, { call }), { code });
  const none = {} as { db: typeof database.pool };
  await assert.rejects(runTask(save, { n: 4 }, { price: 1 }, none), /give runTask a pool/);
});

test('a durable task has its row, steps and transactions; the same id is another attempt', async () => {
  const db = database.pool;
  const first = await runTask(save, { n: 4 }, { price: 1 }, { db });
  assert.equal(first.kind === 'retry' && first.message, 'once more');
  const names = first.enqueued.map(({ task }) => task.name);
  assert.deepEqual(names, ['test.save', 'test.cost'], 'recorded, not run');
  const again = await runTask(save, { n: 4 }, { price: 1 }, { db, call: { id: first.id } });
  assert.equal(again.kind === 'succeeded' && again.result, 1, 'the step of the first attempt');
  const { rows } = await db.query('SELECT name, status, attempts FROM ai.tasks');
  assert.deepEqual(rows, [{ name: 'test.save', status: 'done', attempts: 2 }]);
});

test('what a rolled back transaction enqueued is not recorded', async () => {
  const end = await runTask(save, { n: 13 }, { price: 1 }, { db: database.pool });
  assert.deepEqual([end.kind, end.enqueued], ['retry', []]);
});

test('ctx.db reads, and refuses to write, as in a worker', async () => {
  const write = defineTask({
    ...about,
    name: 'test.write',
    durable: false,
    async run({ n }, ctx) {
      await ctx.db.query('SELECT 1');
      await ctx.db.query('DELETE FROM ai.tasks');
      return n;
    },
  });
  const end = await runTask(write, { n: 1 }, { price: 1 }, { db: database.pool });
  assert.ok(end.kind === 'failed');
  assert.match(end.message, /ctx\.db is read-only/);
});
