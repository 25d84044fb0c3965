import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { saveFeedback } from '../../../db/daodao/feedback.ts';
import { findPracticeMaterial, listFinishedPractices } from '../../../db/daodao/practices.ts';
import { insertCheckIn, insertPractice, insertUser } from '../../support/domain/practices.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

// Where a date read as local midnight and printed in UTC would be a day too early.
process.env['TZ'] = 'Asia/Taipei';

let database: TestDatabase;

before(async () => {
  database = await createTestDatabase();
});

after(() => database.drop());

test('the material of a practice is all of it, its owner included', async () => {
  const { pool } = database;
  const owner = await insertUser(pool, {
    nickname: '小禾',
    personal_slogan: '慢慢來',
    professional_field: ['教育'],
    tag_list: ['閱讀', 'a "quoted", tag'],
    preferred_locale: 'en',
  });
  const practice = await insertPractice(pool, owner.id, {
    title: '睡前讀十頁',
    practice_action: '坐在床邊',
    status: 'archived',
    start_date: '2026-03-01',
    end_date: '2026-03-07',
    session_duration_minutes: 20,
    tags: ['閱讀'],
    progress_percentage: 80,
    reflection: '原來有時間',
    insight: '我自己寫的',
    insight_edited: true,
  });
  await insertCheckIn(pool, practice.id, owner.id, '2026-03-01', { mood: 'good', note: '讀了' });
  const material = await findPracticeMaterial(pool, practice.externalId);
  assert.deepEqual(material?.practice, {
    id: practice.id,
    externalId: practice.externalId,
    ownerId: owner.externalId,
    title: '睡前讀十頁',
    practiceAction: '坐在床邊',
    status: 'archived',
    startDate: '2026-03-01',
    endDate: '2026-03-07',
    durationDays: 7,
    frequencyMinDays: 3,
    frequencyMaxDays: 5,
    sessionDurationMinutes: 20,
    tags: ['閱讀'],
    progressPercentage: 80,
    reflection: '原來有時間',
    insightEdited: true,
  });
  assert.deepEqual(material.owner, {
    externalId: owner.externalId,
    nickname: '小禾',
    personalSlogan: '慢慢來',
    professionalField: ['教育'],
    tags: ['閱讀', 'a "quoted", tag'],
    preferredLocale: 'en',
  });
  assert.equal(material.checkIns.length, 1);
});

test('what a practice and its owner leave out is null or empty', async () => {
  const owner = await insertUser(database.pool);
  const { externalId } = await insertPractice(database.pool, owner.id);
  const material = await findPracticeMaterial(database.pool, externalId);
  assert.ok(material);
  const { practice } = material;
  assert.deepEqual(
    [practice.startDate, practice.endDate, practice.progressPercentage, practice.reflection],
    [null, null, null, null],
  );
  assert.deepEqual([material.owner.nickname, material.owner.preferredLocale], [null, 'zh-TW']);
  assert.deepEqual(
    [practice.tags, material.owner.professionalField, material.checkIns],
    [[], [], []],
  );
});

test('days stay the days they are in Taipei, wherever server and process think they are', async () => {
  const { pool } = database;
  const owner = await insertUser(pool);
  const practice = await insertPractice(pool, owner.id, {
    start_date: '2026-01-01',
    end_date: '2026-01-07',
  });
  const afterMidnight = { created_at: '2026-01-02T00:30:00+08:00' };
  await insertCheckIn(pool, practice.id, owner.id, '2026-01-02', afterMidnight);
  const client = await pool.connect();
  try {
    for (const zone of ['America/Los_Angeles', 'Pacific/Kiritimati']) {
      await client.query(`SET TIME ZONE '${zone}'; SET DateStyle = 'German'`);
      const material = await findPracticeMaterial(client, practice.externalId);
      assert.deepEqual(
        [material?.practice.startDate, material?.practice.endDate, material?.checkIns[0]?.date],
        ['2026-01-01', '2026-01-07', '2026-01-02'],
      );
    }
  } finally {
    client.release(true);
  }
});

test("check-ins are the owner's own, not deleted, oldest first", async () => {
  const { pool } = database;
  const owner = await insertUser(pool);
  const friend = await insertUser(pool);
  const { id, externalId } = await insertPractice(pool, owner.id);
  const other = await insertPractice(pool, owner.id);
  await insertCheckIn(pool, id, owner.id, '2026-01-03', { note: 'fourth' });
  await insertCheckIn(pool, id, owner.id, '2026-01-01', { note: 'first' });
  const evening = { note: 'third', created_at: '2026-01-02T21:00:00+08:00' };
  await insertCheckIn(pool, id, owner.id, '2026-01-02', evening);
  const morning = { note: 'second', mood: 'happy', created_at: '2026-01-02T07:00:00+08:00' };
  await insertCheckIn(pool, id, owner.id, '2026-01-02', morning);
  await insertCheckIn(pool, id, friend.id, '2026-01-02', { note: "a friend's" });
  const deleted = { note: 'deleted', deleted_at: '2026-01-05T00:00:00Z' };
  await insertCheckIn(pool, id, owner.id, '2026-01-02', deleted);
  await insertCheckIn(pool, other.id, owner.id, '2026-01-02', { note: 'of another practice' });
  const material = await findPracticeMaterial(pool, externalId);
  assert.deepEqual(
    material?.checkIns.map(({ date, mood, note }) => [date, mood, note]),
    [
      ['2026-01-01', null, 'first'],
      ['2026-01-02', 'happy', 'second'],
      ['2026-01-02', null, 'third'],
      ['2026-01-03', null, 'fourth'],
    ],
  );
});

test('a practice that is deleted or unknown has no material', async () => {
  const owner = await insertUser(database.pool);
  const deleted = { deleted_at: '2026-01-05T00:00:00Z' };
  const { externalId } = await insertPractice(database.pool, owner.id, deleted);
  assert.equal(await findPracticeMaterial(database.pool, externalId), undefined);
  assert.equal(await findPracticeMaterial(database.pool, randomUUID()), undefined);
});

test('waiting for feedback are finished practices that have none and no insight of their owner', async () => {
  const fresh = await createTestDatabase();
  const { pool } = fresh;
  try {
    const owner = await insertUser(pool);
    const add = (columns: Record<string, unknown>) => insertPractice(pool, owner.id, columns);
    const first = await add({ completed_at: '2026-01-01T00:00:00Z', insight: 'generated' });
    const second = await add({ completed_at: '2026-02-01T00:00:00Z' });
    const undated = await add({ status: 'archived' });
    const served = await add({ completed_at: '2026-03-01T00:00:00Z' });
    await saveFeedback(pool, {
      taskId: randomUUID(),
      practiceId: served.externalId,
      locale: 'en',
      text: 'a\nb\nc',
      sections: { breakthrough: 'a', rhythm: 'b', insight: 'c' },
      inputHash: 'hash',
      promptVersion: '1',
      provider: 'offline',
      model: 'coach',
    });
    await add({ insight: 'mine', insight_edited: true });
    await add({ deleted_at: '2026-01-05T00:00:00Z' });
    for (const status of ['draft', 'not_started', 'active']) await add({ status });
    const expected = [undated, second, first].map(({ id, externalId }) => ({ id, externalId }));
    const page = { before: Number.MAX_SAFE_INTEGER, task: 'test.feedback', mostFailed: 3 };
    assert.deepEqual(await listFinishedPractices(pool, { ...page, limit: 10 }), expected);
    assert.deepEqual(
      await listFinishedPractices(pool, { ...page, before: undated.id, limit: 1 }),
      expected.slice(1, 2),
    );
  } finally {
    await fresh.drop();
  }
});
