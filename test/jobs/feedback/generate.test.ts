import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Value } from 'typebox/value';
import type { Fault } from '../../../db/embedded/coach/faults.ts';
import { findFeedback } from '../../../db/daodao/feedback.ts';
import { seed } from '../../../db/seed/seed.ts';
import { SEED_PRACTICES } from '../../../db/seed/practices.ts';
import { reopenTask } from '../../../db/tasks/requeue.ts';
import { findStep, runStep } from '../../../db/tasks/steps.ts';
import { setCallsAside } from '../../../db/llm/calls.ts';
import type { Fence } from '../../../db/tasks/fence.ts';
import { FeedbackResult } from '../../../jobs/feedback/generate.ts';
import { checkTone } from '../../../jobs/feedback/reply/tone.ts';
import { Reject } from '../../../jobs/framework/errors.ts';
import type { Context } from '../../../jobs/define.ts';
import { generateAiFeedback } from '../../../jobs/feedback/task.ts';
import { startTestCoach, type TestCoach } from '../../support/domain/coach.ts';
import { createContext, withoutQueue, type TestContext } from '../../support/domain/context.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { insertCheckIn, insertPractice, insertUser } from '../../support/domain/practices.ts';
import { acceptAndStart, start as startTask } from '../../support/tasks.ts';

const NOTE = '發現自己不再急著把話說完，先停一下再開口，對方反而說得更多，這是第一次有這種感覺。';

let coach: TestCoach;
let database: TestDatabase;
before(async () => {
  [coach, database] = await Promise.all([startTestCoach(), createTestDatabase()]);
  await seed(database.pool);
});
after(() => Promise.all([coach.stop(), database.drop()]));

/** A context whose effects go through the real inbox, under a fence of its own if none is given. */
async function start(begun?: Fence): Promise<TestContext> {
  const { pool } = database;
  const fence = begun ?? (await acceptAndStart(pool));
  const context = createContext({ llm: coach.llm, db: pool, jobId: fence.id });
  return {
    ...context,
    job: { ...context.job, delivery: Number(fence.epoch) },
    step: (name, work) => runStep(pool, fence, name, work),
    stored: (name) => findStep(pool, fence.id, name),
    transaction: (name, work) => runStep(pool, fence, name, (tx) => work(withoutQueue(tx))),
  };
}

function run(practiceId: string, ctx: Context, locale?: 'zh-TW' | 'en') {
  return generateAiFeedback.run({ practiceId, ...(locale && { locale }) }, ctx);
}

async function createPractice(columns: Record<string, unknown> = {}, note = NOTE): Promise<string> {
  const { pool } = database;
  const user = await insertUser(pool);
  const practice = await insertPractice(pool, user.id, { progress_percentage: 90, ...columns });
  await insertCheckIn(pool, practice.id, user.id, '2026-03-02', { mood: 'good', note });
  return practice.externalId;
}

async function insightOf(practiceId: string): Promise<string | null> {
  const { rows } = await database.pool.query<{ insight: string | null }>(
    'SELECT insight FROM practices WHERE external_id = $1',
    [practiceId],
  );
  return rows[0]!.insight;
}

async function callsOf(ctx: TestContext): Promise<[string, string][]> {
  const { rows } = await database.pool.query<{ step: string; status: string }>(
    'SELECT step, status FROM ai.llm_calls WHERE task_id = $1 ORDER BY id',
    [ctx.job.id],
  );
  return rows.map(({ step, status }) => [step, status]);
}

function rejects(work: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(work, (error) => error instanceof Reject && error.code === code);
}

test('a finished practice gets three paragraphs: saved, shown as its insight, cached, paid for once', async () => {
  const practiceId = await createPractice();
  const ctx = await start();
  const result = await run(practiceId, ctx);
  assert.ok(Value.Check(FeedbackResult, result));
  assert.equal(result.text.split('\n\n').length, 3);
  assert.deepEqual(
    [result.provider, result.version, result.insight_replaced],
    ['offline', 1, true],
  );
  const saved = await findFeedback(database.pool, practiceId);
  assert.equal(saved?.text, result.text);
  assert.equal(await insightOf(practiceId), result.text);
  assert.deepEqual(await callsOf(ctx), [['llm', 'ok']]);
  const cached = ctx.cached.get(`feedback:${practiceId}`);
  assert.deepEqual([cached?.version, cached?.ttlSeconds], [1, 21_600]);
  assert.deepEqual(
    ctx.progressed,
    ctx.progressed.toSorted((a, b) => a - b),
  );
  assert.equal(ctx.progressed.at(-1), 1);
});

test('an attempt that fails at the cache is repeated without another call or another row', async () => {
  const practiceId = await createPractice();
  const ctx = await start();
  const asked = await coach.chatCalls();
  const cache = { ...ctx.cache, set: () => Promise.reject(new Error('Redis is away')) };
  await assert.rejects(run(practiceId, { ...ctx, cache }), /Redis is away/);
  const result = await run(practiceId, ctx);
  assert.equal(await coach.chatCalls(), asked + 1);
  assert.equal(result.version, 1);
  assert.equal(ctx.cached.get(`feedback:${practiceId}`)?.version, 1);
});

test('feedback that was saved is shown, though its practice has been taken up again since', async () => {
  const practiceId = await createPractice();
  await run(practiceId, await start());
  const ctx = await start();
  const cache = { ...ctx.cache, set: () => Promise.reject(new Error('Redis is away')) };
  await assert.rejects(run(practiceId, { ...ctx, cache }), /Redis is away/);
  await database.pool.query(`UPDATE practices SET status = 'active' WHERE external_id = $1`, [
    practiceId,
  ]);
  const result = await run(practiceId, ctx);
  assert.equal(result.version, 2);
  assert.equal(ctx.cached.get(`feedback:${practiceId}`)?.version, 2);
});

test('the words of the owner stay when they edited them', async () => {
  const practiceId = await createPractice({ insight: '我自己寫的', insight_edited: true });
  const result = await run(practiceId, await start());
  assert.equal(result.insight_replaced, false);
  assert.equal(await insightOf(practiceId), '我自己寫的');
});

test('a practice that does not qualify, or is not there, ends the task without a call', async () => {
  const asked = await coach.chatCalls();
  await rejects(run(randomUUID(), await start()), 'PRACTICE_NOT_FOUND');
  await rejects(
    run(await createPractice({ status: 'active' }), await start()),
    'PRACTICE_NOT_COMPLETED',
  );
  await rejects(run(await createPractice({}, '累'), await start()), 'FEEDBACK_NOT_ENOUGH_CONTENT');
  assert.equal(await coach.chatCalls(), asked);
});

test('a practice deleted while the model writes ends the task and leaves nothing', async () => {
  const practiceId = await createPractice();
  const ctx = await start();
  const llm = {
    async chat(request: Parameters<typeof coach.llm.chat>[0]) {
      const reply = await coach.llm.chat(request);
      await database.pool.query('UPDATE practices SET deleted_at = now() WHERE external_id = $1', [
        practiceId,
      ]);
      return reply;
    },
  };
  await rejects(run(practiceId, { ...ctx, llm }), 'PRACTICE_NOT_FOUND');
  assert.equal(await findFeedback(database.pool, practiceId), undefined);
});

test('replies that are cut off or empty are paid for twice at most, and recorded', async () => {
  const practiceId = await createPractice();
  const ctx = await start();
  const asked = await coach.chatCalls();
  const faults: Fault[] = ['length', 'blank'];
  await coach.control({ faults });
  await rejects(run(practiceId, ctx), 'LLM_REPLY_INVALID');
  await rejects(run(practiceId, ctx), 'LLM_REPLY_INVALID');
  assert.equal(await coach.chatCalls(), asked + 2);
  assert.deepEqual(await callsOf(ctx), [
    ['llm', 'invalid'],
    ['llm:repair', 'invalid'],
  ]);
});

test('a model that never keeps to the form ends the task; its calls are recorded, nothing is saved', async () => {
  const practiceId = await createPractice();
  const ctx = await start();
  const faults: Fault[] = ['schema', 'schema'];
  await coach.control({ faults });
  await rejects(run(practiceId, ctx), 'LLM_REPLY_INVALID');
  assert.deepEqual(await callsOf(ctx), [
    ['llm', 'invalid'],
    ['llm:repair', 'invalid'],
  ]);
  assert.equal(await findFeedback(database.pool, practiceId), undefined);
  assert.equal(await insightOf(practiceId), null);
});

test('requeued after replies that could not be used it asks anew, each time, and no cost is forgotten', async () => {
  const practiceId = await createPractice();
  const { pool } = database;
  let ctx = await start();
  const { id } = ctx.job;
  for (let life = 1; life <= 2; life++) {
    await coach.control({ faults: ['schema', 'schema'] });
    await rejects(run(practiceId, ctx), 'LLM_REPLY_INVALID');
    assert.equal(await reopenTask(pool, id, 1000, setCallsAside), 'reopened');
    ctx = await start(await startTask(pool, id));
  }
  const result = await run(practiceId, ctx);
  assert.equal(result.version, 1);
  assert.deepEqual(
    (await callsOf(ctx)).map(([step, status]) => [step.replace(/@\d+$/, '@'), status]),
    [
      ['llm@', 'invalid'],
      ['llm:repair@', 'invalid'],
      ['llm@', 'invalid'],
      ['llm:repair@', 'invalid'],
      ['llm', 'ok'],
    ],
  );
});

test('every seeded practice that qualifies gets feedback in tone, in both languages', async () => {
  let written = 0;
  for (const { externalId, status } of SEED_PRACTICES) {
    if (status !== 'completed' && status !== 'archived') continue;
    for (const locale of ['zh-TW', 'en'] as const) {
      const ctx = await start();
      try {
        const { sections } = await run(externalId, ctx, locale);
        assert.deepEqual(checkTone(sections, locale), []);
        assert.deepEqual(await callsOf(ctx), [['llm', 'ok']]);
        written++;
      } catch (error) {
        assert.ok(
          error instanceof Reject && error.code === 'FEEDBACK_NOT_ENOUGH_CONTENT',
          String(error),
        );
      }
    }
  }
  assert.ok(written >= 6, `${written} texts`);
});
