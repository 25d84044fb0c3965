import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { sweepFinished } from '../../../jobs/feedback/sweep.ts';
import { sweepFeedback } from '../../../jobs/feedback/sweep-task.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import {
  accepted,
  database,
  live,
  rowOf,
  scope,
  scopeWith,
  told,
} from '../../support/threads/attempts.ts';
import { insertCheckIn, insertPractice, insertUser } from '../../support/domain/practices.ts';
import { request } from '../../support/tasks.ts';

const NOTE =
  '今天比昨天早十分鐘開始，窗邊的光剛好落在書頁上，讀到第三章時忽然懂了作者為什麼要從結尾寫起。';

beforeEach(async () => {
  await database.pool.query('TRUNCATE ai.tasks, users, practices, practice_checkins CASCADE');
});

/** The oldest first. */
async function practices(count: number, columns: object = {}, note = NOTE): Promise<string[]> {
  const owner = await insertUser(database.pool);
  const add = async () => {
    const made = { progress_percentage: 100, ...columns };
    const practice = await insertPractice(database.pool, owner.id, made);
    await insertCheckIn(database.pool, practice.id, owner.id, '2026-01-05', { note, mood: 'good' });
    return practice;
  };
  const added = await Promise.all(Array.from({ length: count }, add));
  return added.toSorted((a, b) => a.id - b.id).map(({ externalId }) => externalId);
}

async function sweepJob() {
  const row = request({ name: sweepFeedback.name });
  await acceptTask(database.pool, row);
  const facts = { queue: 'ai_tasks', headers: {}, attempts: 0, createdAtMs: Date.now() };
  return { ...facts, id: row.id, task: sweepFeedback.name, payload: '{}' };
}

async function asked(): Promise<string[]> {
  const { rows } = await database.pool.query<{ subject: string }>(
    `SELECT subject FROM ai.tasks WHERE name = 'generate_ai_feedback' ORDER BY subject`,
  );
  return rows.map(({ subject }) => subject);
}

test('asks for feedback on every finished practice that has enough to say, page by page', async () => {
  const wanted = await practices(60);
  await practices(45, {}, '好');
  await practices(3, { insight: 'mine', insight_edited: true });
  await practices(3, { status: 'active' });
  await practices(3, { deleted_at: '2026-02-01T00:00:00Z' });
  told.length = 0;
  const job = await sweepJob();
  assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  assert.deepEqual((await rowOf(job)).result, { practices: 105, asked: 60 });
  assert.deepEqual(await asked(), wanted.toSorted());
  const notes = told.flatMap((message) => (message.type === 'progress' ? [message.note] : []));
  assert.deepEqual(notes, ['100 practices', '105 practices']);
  const extended = told.filter(({ type }) => type === 'extended');
  assert.equal(extended.length, 2, 'a page moves the limits');
});

test('an attempt that follows one which was cut off asks for nothing twice', async () => {
  const wanted = await practices(30);
  const job = await sweepJob();
  let left = 12;
  const { enqueuer } = scope;
  const failing = Object.assign(Object.create(enqueuer) as typeof enqueuer, {
    enqueue: (signatures: Parameters<typeof enqueuer.enqueue>[0]) =>
      left-- > 0 ? enqueuer.enqueue(signatures) : Promise.reject(new Error('cut off')),
  });
  const cut = await attempt(job, { ...scope, enqueuer: failing }, live);
  assert.equal(cut.kind, 'retry', JSON.stringify(cut));
  assert.equal((await asked()).length, 12);
  assert.equal((await attempt({ ...job, attempts: 1 }, scope, live)).kind, 'succeeded');
  assert.deepEqual(await asked(), wanted.toSorted());
});

test('one sweep asks for so much, the newest first, and the next one goes on', async () => {
  const wanted = await practices(113);
  const swept = async () => {
    const job = await accepted(async (ctx) =>
      JSON.stringify(await sweepFinished(ctx, 60_000, 110)),
    );
    assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
    return JSON.parse((await rowOf(job)).result as string) as unknown;
  };
  assert.deepEqual(await swept(), { practices: 110, asked: 110 });
  assert.deepEqual(await asked(), wanted.slice(3).toSorted());
});

test('one owner gets no more in a day than by asking, and takes nothing from the others', async () => {
  const [, , ...newest] = await practices(5);
  const others = await practices(2);
  const settings = { ...scope.resources.settings, feedbackPerDay: 3 };
  const job = await sweepJob();
  assert.equal((await attempt(job, scopeWith({ settings }), live)).kind, 'succeeded');
  assert.deepEqual((await rowOf(job)).result, { practices: 7, asked: 5 });
  assert.deepEqual(await asked(), [...newest, ...others].toSorted());
});

test('what failed for good three times is left alone until the practice changes', async () => {
  const [failing] = await practices(1);
  const { pool } = database;
  const sweep = async (): Promise<number> => {
    assert.equal((await attempt(await sweepJob(), scope, live)).kind, 'succeeded');
    const { rowCount } = await pool.query(
      `UPDATE ai.tasks SET status = 'error', error_code = 'LLM_REPLY_INVALID', finished_at = now()
       WHERE name = 'generate_ai_feedback' AND finished_at IS NULL`,
    );
    return rowCount!;
  };
  assert.deepEqual([await sweep(), await sweep(), await sweep(), await sweep()], [1, 1, 1, 0]);
  await pool.query('UPDATE practices SET updated_at = now() WHERE external_id = $1', [failing]);
  assert.equal(await sweep(), 1);
});
