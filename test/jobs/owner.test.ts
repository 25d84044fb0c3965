/**
 * A task that has an owner touches nobody else's data.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { saveFeedback } from '../../db/daodao/feedback.ts';
import { transaction } from '../../db/stores/postgres.ts';
import type { Context } from '../../jobs/define.ts';
import { updateUserEmbeddings } from '../../jobs/embeddings/task.ts';
import { generateAiFeedback } from '../../jobs/feedback/task.ts';
import { refreshRecommendationCache } from '../../jobs/recommendations/task.ts';
import { createContext } from '../support/domain/context.ts';
import { insertCheckIn, insertPractice, insertUser } from '../support/domain/practices.ts';
import { createTestDatabase, type TestDatabase } from '../support/stores/postgres.ts';
import { acceptAndStart } from '../support/tasks.ts';

const NOTE = '發現自己不再急著把話說完，先停一下再開口，對方反而說得更多，這是第一次有這種感覺。';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

/** The model must not be asked. */
function contextOf(userId: string | undefined): Context {
  const llm = { chat: () => assert.fail('the model was asked') };
  const context = createContext({ llm, db: database.pool });
  return Object.assign(context, { job: { ...context.job, userId } });
}

async function practiceOf() {
  const owner = await insertUser(database.pool);
  const practice = await insertPractice(database.pool, owner.id, { progress_percentage: 90 });
  await insertCheckIn(database.pool, practice.id, owner.id, '2026-03-02', {
    mood: 'good',
    note: NOTE,
  });
  return { owner, practice };
}

test('feedback on a practice of somebody else is refused before the model is asked', async () => {
  const { practice } = await practiceOf();
  const other = await insertUser(database.pool);
  const payload = { practiceId: practice.externalId };
  await assert.rejects(generateAiFeedback.run(payload, contextOf(other.externalId)), {
    name: 'Reject',
    code: 'PRACTICE_NOT_FOUND',
  });
});

describe('feedback is saved', () => {
  const save = async (practiceId: string, ownerId: string | undefined) => {
    const { id: taskId } = await acceptAndStart(database.pool);
    const about = { locale: 'en', provider: 'p', model: 'm', promptVersion: '1' } as const;
    const sections = { breakthrough: 'a', rhythm: 'b', insight: 'c' };
    const feedback = { ...about, taskId, practiceId, ownerId, text: 'a', sections, inputHash: 'x' };
    return transaction(database.pool, (tx) => saveFeedback(tx, feedback));
  };

  test('for the owner of the practice, in any case, and for a task without an owner', async () => {
    const { owner, practice } = await practiceOf();
    for (const ownerId of [owner.externalId, owner.externalId.toUpperCase(), undefined]) {
      assert.ok(await save(practice.externalId, ownerId));
    }
  });

  test('for nobody else, such as the owner before the practice changed hands', async () => {
    const { practice } = await practiceOf();
    for (const ownerId of [randomUUID(), 'no uuid']) {
      await assert.rejects(save(practice.externalId, ownerId), { code: 'PRACTICE_NOT_FOUND' });
    }
    const { rows } = await database.pool.query(
      'SELECT insight FROM practices WHERE external_id = $1',
      [practice.externalId],
    );
    assert.deepEqual(rows, [{ insight: null }]);
  });
});

describe('a task is refused whose payload names others than its owner', () => {
  const refused = { name: 'Reject', code: 'TASK_PAYLOAD_INVALID' };

  test('recommendations', async () => {
    const payload = { userId: randomUUID() };
    await assert.rejects(refreshRecommendationCache.run(payload, contextOf(randomUUID())), refused);
  });

  test('vectors', async () => {
    const owner = randomUUID();
    const payload = { userIds: [owner, randomUUID()] };
    await assert.rejects(updateUserEmbeddings.run(payload, contextOf(owner)), refused);
  });
});
