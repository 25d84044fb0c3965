/**
 * The same input is paid for once: replies that an earlier task stored are used, whatever became of it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { revokeTasks } from '../../../db/tasks/ends.ts';
import type { Fence } from '../../../db/tasks/fence.ts';
import { findStep, runStep } from '../../../db/tasks/steps.ts';
import { seed } from '../../../db/seed/seed.ts';
import type { Context } from '../../../jobs/define.ts';
import { Reject } from '../../../jobs/framework/errors.ts';
import { generateAiFeedback } from '../../../jobs/feedback/task.ts';
import { startTestCoach, type TestCoach } from '../../support/domain/coach.ts';
import { createContext, withoutQueue } from '../../support/domain/context.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { insertCheckIn, insertPractice, insertUser } from '../../support/domain/practices.ts';
import { acceptAndStart, failTask, succeedTask } from '../../support/tasks.ts';

const NOTE = '發現自己不再急著把話說完，先停一下再開口，對方反而說得更多，這是第一次有這種感覺。';

let coach: TestCoach;
let database: TestDatabase;
before(async () => {
  [coach, database] = await Promise.all([startTestCoach(), createTestDatabase()]);
  await seed(database.pool);
});
after(() => Promise.all([coach.stop(), database.drop()]));

async function createPractice(): Promise<string> {
  const user = await insertUser(database.pool);
  const columns = { progress_percentage: 90 };
  const practice = await insertPractice(database.pool, user.id, columns);
  await insertCheckIn(database.pool, practice.id, user.id, '2026-03-02', { note: NOTE });
  return practice.externalId;
}

/** A task for this practice. @param stopsAt the transaction that never happens, as the task is revoked before it. */
async function begin(practiceId: string, stopsAt?: string) {
  const { pool } = database;
  const facts = { name: generateAiFeedback.name, subject: practiceId };
  const fence: Fence = await acceptAndStart(pool, facts);
  const ctx: Context = {
    ...createContext({ llm: coach.llm, db: database.reader, jobId: fence.id }),
    step: (name, work) => runStep(pool, fence, name, work),
    stored: (name) => findStep(pool, fence.id, name),
    async transaction(name, work) {
      if (name === stopsAt) await revokeTasks(pool, [fence.id]);
      return runStep(pool, fence, name, (tx) => work(withoutQueue(tx)));
    },
  };
  return { fence, run: () => generateAiFeedback.run({ practiceId, locale: 'zh-TW' }, ctx) };
}

async function revokedAfterReplies(practiceId: string): Promise<void> {
  const { run } = await begin(practiceId, 'save');
  await assert.rejects(run(), /no longer at epoch/);
}

async function succeed(practiceId: string) {
  const { fence, run } = await begin(practiceId);
  const result = await run();
  await succeedTask(database.pool, fence, JSON.stringify(result));
  return result;
}

/** Counts the calls during `work`. */
async function paid(work: () => Promise<unknown>): Promise<number> {
  const start = await coach.chatCalls();
  await work();
  return (await coach.chatCalls()) - start;
}

async function recorded(practiceId: string): Promise<string[]> {
  const { rows } = await database.pool.query<{ step: string }>(
    `SELECT c.step FROM ai.llm_calls c JOIN ai.tasks t ON t.id = c.task_id WHERE t.subject = $1 ORDER BY c.id`,
    [practiceId],
  );
  return rows.map(({ step }) => step);
}

test('the reply of a revoked task is used by the next one, and by the one after that', async () => {
  const practiceId = await createPractice();
  assert.equal(await paid(() => revokedAfterReplies(practiceId)), 1);
  assert.equal(await paid(() => revokedAfterReplies(practiceId)), 0);
  assert.equal(await paid(() => succeed(practiceId)), 0);
  assert.deepEqual(await recorded(practiceId), ['llm'], 'one call, recorded once');
});

test('so is the reply to a follow-up', async () => {
  const practiceId = await createPractice();
  await coach.control({ faults: ['schema'] });
  assert.equal(await paid(() => revokedAfterReplies(practiceId)), 2);
  assert.equal(await paid(() => succeed(practiceId)), 0);
  assert.deepEqual(await recorded(practiceId), ['llm', 'llm:repair']);
});

test('an input that comes back after another one is not paid for again, nor recorded twice', async () => {
  const practiceId = await createPractice();
  const edit = (title: string) =>
    database.pool.query('UPDATE practices SET title = $2 WHERE external_id = $1', [
      practiceId,
      title,
    ]);
  await edit('one');
  assert.equal(await paid(() => succeed(practiceId)), 1);
  await edit('two');
  assert.equal(await paid(() => succeed(practiceId)), 1);
  await edit('one');
  assert.equal(await paid(() => revokedAfterReplies(practiceId)), 0);
  assert.equal(await paid(() => succeed(practiceId)), 0);
  assert.deepEqual(await recorded(practiceId), ['llm', 'llm']);
});

test('replies that could not be used are asked for anew', async () => {
  const practiceId = await createPractice();
  await coach.control({ faults: ['schema', 'schema'] });
  const { fence, run } = await begin(practiceId);
  await assert.rejects(run(), Reject);
  await failTask(database.pool, fence, { code: 'LLM_REPLY_INVALID', message: 'no' });
  assert.equal(await paid(() => succeed(practiceId)), 1);
});

test('another practice, another language and another text are paid for', async () => {
  const practiceId = await createPractice();
  await revokedAfterReplies(practiceId);
  const other = await createPractice();
  assert.equal(await paid(() => succeed(other)), 1);
  await database.pool.query('UPDATE practices SET reflection = $2 WHERE external_id = $1', [
    practiceId,
    '想再走一次',
  ]);
  assert.equal(await paid(() => succeed(practiceId)), 1);
});
