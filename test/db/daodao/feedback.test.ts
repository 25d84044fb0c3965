import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { findFeedback, saveFeedback, type NewFeedback } from '../../../db/daodao/feedback.ts';
import { transaction } from '../../../db/stores/postgres.ts';
import { insertPractice, insertUser } from '../../support/domain/practices.ts';
import {
  createTestDatabase,
  lockAwaited,
  type TestDatabase,
} from '../../support/stores/postgres.ts';

let database: TestDatabase;
let ownerId: number;

before(async () => {
  database = await createTestDatabase();
  ownerId = (await insertUser(database.pool)).id;
});

after(() => database.drop());

async function practice(columns: Record<string, unknown> = {}): Promise<string> {
  return (await insertPractice(database.pool, ownerId, columns)).externalId;
}

function feedbackFor(practiceId: string, changes: Partial<NewFeedback> = {}): NewFeedback {
  return {
    taskId: randomUUID(),
    practiceId,
    locale: 'zh-TW',
    text: '一\n二\n三',
    sections: { breakthrough: '一', rhythm: '二', insight: '三' },
    inputHash: 'hash',
    promptVersion: '1',
    provider: 'offline',
    model: 'coach',
    ...changes,
  };
}

async function save(practiceId: string, changes: Partial<NewFeedback> = {}) {
  return transaction(database.pool, (tx) => saveFeedback(tx, feedbackFor(practiceId, changes)));
}

async function insightOf(practiceId: string): Promise<string | null> {
  const { rows } = await database.pool.query<{ insight: string | null }>(
    'SELECT insight FROM practices WHERE external_id = $1',
    [practiceId],
  );
  return rows[0]!.insight;
}

test('feedback becomes the insight of its practice, and is found again as it was saved', async () => {
  const practiceId = await practice();
  const given = feedbackFor(practiceId);
  const saved = await transaction(database.pool, (tx) => saveFeedback(tx, given));
  assert.equal(saved.insightReplaced, true);
  assert.equal(await insightOf(practiceId), '一\n二\n三');
  const { inputHash: _, promptVersion: __, ...shown } = given;
  const { createdAt, ...stored } = saved.feedback;
  assert.deepEqual(stored, { ...shown, version: 1 });
  assert.equal(new Date(createdAt).toISOString(), createdAt);
  assert.deepEqual(await findFeedback(database.pool, practiceId), saved.feedback);
});

test('an insight its owner edited is kept, and the feedback is stored beside it', async () => {
  const practiceId = await practice({ insight: '我自己寫的', insight_edited: true });
  const saved = await save(practiceId);
  assert.equal(saved.insightReplaced, false);
  assert.equal(await insightOf(practiceId), '我自己寫的');
  assert.equal((await findFeedback(database.pool, practiceId))?.version, 1);
});

test('an edit under way when feedback is saved is kept', async () => {
  const practiceId = await practice();
  const editing = await database.pool.connect();
  await editing.query('BEGIN');
  await editing.query(
    "UPDATE practices SET insight = '剛改的', insight_edited = true WHERE external_id = $1",
    [practiceId],
  );
  const saving = save(practiceId);
  await lockAwaited(database.pool);
  await editing.query('COMMIT');
  editing.release();
  assert.equal((await saving).insightReplaced, false);
  assert.equal(await insightOf(practiceId), '剛改的');
});

test('versions count up per practice, also when many are saved at once', async () => {
  const practiceId = await practice();
  const others = await practice();
  const saved = await Promise.all(Array.from({ length: 9 }, () => save(practiceId)));
  const versions = saved.map(({ feedback }) => feedback.version).toSorted((a, b) => a - b);
  assert.deepEqual(versions, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal((await save(others)).feedback.version, 1);
});

test('the newest is found, of all languages or of one', async () => {
  const practiceId = await practice();
  for (const locale of ['zh-TW', 'en', 'en', 'zh-TW'] as const) await save(practiceId, { locale });
  const version = async (locale?: string) =>
    (await findFeedback(database.pool, practiceId, locale))?.version;
  assert.equal(await version(), 4);
  assert.equal(await version('en'), 3);
  assert.equal(await version('zh-TW'), 4);
});

test('a practice without feedback, or without any in that language, has none', async () => {
  const practiceId = await practice();
  assert.equal(await findFeedback(database.pool, practiceId), undefined);
  await save(practiceId);
  assert.equal(await findFeedback(database.pool, practiceId, 'en'), undefined);
});

test('one task saves one feedback', async () => {
  const practiceId = await practice();
  const taskId = randomUUID();
  await save(practiceId, { taskId, text: 'first' });
  await assert.rejects(save(practiceId, { taskId, text: 'second' }), { code: '23505' });
  assert.equal(await insightOf(practiceId), 'first');
});

test('a practice deleted meanwhile gets none', async () => {
  const practiceId = await practice({ deleted_at: '2026-01-05T00:00:00Z' });
  await assert.rejects(
    save(practiceId),
    (error) => error instanceof AppError && error.code === 'PRACTICE_NOT_FOUND',
  );
  assert.equal(await findFeedback(database.pool, practiceId), undefined);
});
