/**
 * Tasks that ask for tasks: once, however often they are tried, and not at all when their transaction is rolled back.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Type } from 'typebox';
import { findTask } from '../../../db/tasks/rows.ts';
import { Inspector } from '../../../jobs/queue/index.ts';
import { defineTask } from '../../../jobs/framework/define.ts';
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
import { eventually } from '../../support/queue/consumers.ts';

const about = { payload: Type.Object({ n: Type.Integer() }), result: Type.Null() };
const child = defineTask({ ...about, name: 'test.child', run: async () => null });
const brief = defineTask({ ...about, name: 'test.brief', durable: false, run: async () => null });
register(child);
register(brief);

const stateOf = async (id: string) => (await new Inspector(broker).status(id)).state;
const rowsOfChild = async (): Promise<string[]> => {
  const { rows } = await database.pool.query<{ id: string }>(
    'SELECT id FROM ai.tasks WHERE name = $1 ORDER BY created_at',
    [child.name],
  );
  return rows.map(({ id }) => id);
};

test('the same calls made by a later attempt are the same tasks, equal ones among them apart', async () => {
  const before = await rowsOfChild();
  const asked: string[][] = [];
  const job = await accepted(async (ctx) => {
    asked.push([
      await ctx.enqueue(child.s({ n: 1 })),
      await ctx.enqueue(child.s({ n: 1 })),
      await ctx.enqueue(child.s({ n: 2 })),
      await ctx.enqueue(brief.s({ n: 1 })),
    ]);
    if (asked.length === 1) throw new Error('again');
    return 'done';
  });
  assert.equal((await attempt(job, scope, live)).kind, 'retry');
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  assert.deepEqual(asked[1], asked[0]);
  assert.equal(new Set(asked[0]).size, 4);
  const added = (await rowsOfChild()).filter((id) => !before.includes(id));
  assert.deepEqual(added.toSorted(), asked[0]!.slice(0, 3).toSorted());
  for (const id of asked[0]!) {
    await eventually('queued', async () => (await stateOf(id)) === 'pending');
  }
});

test('two jobs that ask for the same ask for two tasks', async () => {
  const ids = new Set<string>();
  const ask = () => transient(async (ctx) => ids.add(await ctx.enqueue(brief.s({ n: 1 }))) && null);
  for (const job of [ask(), ask()]) await attempt(job, scope, live);
  assert.equal(ids.size, 2);
});

test('a chosen id is kept', async () => {
  const id = randomUUID();
  const job = transient(async (ctx) => ctx.enqueue(brief.s({ n: 1 }, { id })));
  const outcome = await attempt(job, scope, live);
  assert.equal(outcome.kind === 'succeeded' && outcome.result, JSON.stringify(id));
});

test('in a transaction a task is asked for once, and only if that is committed', async () => {
  const before = await rowsOfChild();
  let runs = 0;
  const ids: string[] = [];
  const job = await accepted(async (ctx) => {
    const turn = ++runs;
    await ctx.transaction('ask', async (tx) => {
      ids.push(await tx.enqueue(child.s({ n: 7 })));
      if (turn === 1) throw new Error('rolled back');
      return null;
    });
    if (turn === 2) throw new Error('after the commit');
    return 'done';
  });
  for (const kind of ['retry', 'retry', 'succeeded']) {
    assert.equal((await attempt(job, scope, live)).kind, kind);
  }
  assert.equal(ids.length, 2, 'a repeat returns what was stored');
  const added = (await rowsOfChild()).filter((id) => !before.includes(id));
  assert.deepEqual(added, [ids[1]]);
  await eventually('queued', async () => (await stateOf(ids[1]!)) === 'pending');
  assert.equal(await stateOf(ids[0]!), 'unknown');
});

test('what cannot be part of a transaction is refused', async () => {
  const job = await accepted(async (ctx) => {
    await assert.rejects(
      ctx.transaction('ask', (tx) => tx.enqueue(brief.s({ n: 1 }))),
      { code: 'TASK_OPTION_INVALID' },
    );
    await assert.rejects(ctx.enqueue({ ...child.s({ n: 1 }), payload: 'no' }), {
      code: 'TASK_PAYLOAD_INVALID',
    });
    return 'done';
  });
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
});

test('headers of the call and the newest payload reach the task', async () => {
  const job = await accepted(async (ctx) => JSON.stringify(ctx.job.headers));
  const outcome = await attempt({ ...job, headers: { who: 'me' } }, scope, live);
  assert.equal(outcome.kind, 'succeeded');
  assert.equal((await findTask(database.pool, job.id))?.result, '{"who":"me"}');
});
