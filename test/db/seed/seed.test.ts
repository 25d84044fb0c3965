import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findPracticeMaterial, type PracticeMaterial } from '../../../db/daodao/practices.ts';
import { seed, SEED_USERS } from '../../../db/seed/seed.ts';
import { generateEvents } from '../../../db/seed/events.ts';
import { SEED_PRACTICES } from '../../../db/seed/practices.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';

let database: TestDatabase;
let materials: PracticeMaterial[];

/** 07:30 on 1 June in Taipei, still 31 May in UTC. */
const now = new Date('2026-05-31T23:30:00Z');

before(async () => {
  database = await createTestDatabase();
  await seed(database.pool, now);
  const found = await Promise.all(
    SEED_PRACTICES.map(({ externalId }) => findPracticeMaterial(database.pool, externalId)),
  );
  materials = found.filter((material) => material !== undefined);
});

after(() => database.drop());

/** CJK characters, and runs of Latin letters or digits: the length of a note as feedback counts it. */
function lengthOf(note: string | null): number {
  return note?.match(/\p{Script=Han}|[\p{Script=Latin}\d]+/gu)?.length ?? 0;
}

function progressOf({ practice, checkIns }: PracticeMaterial): number {
  if (practice.progressPercentage !== null) return practice.progressPercentage;
  const wanted = Math.ceil((practice.durationDays / 7) * practice.frequencyMinDays);
  return Math.min(100, (new Set(checkIns.map(({ date }) => date)).size / wanted) * 100);
}

/** Empty notes pull the average down: nobody can read the rule more strictly. */
function averageLength({ checkIns }: PracticeMaterial): number {
  const total = checkIns.reduce((sum, { note }) => sum + lengthOf(note), 0);
  return checkIns.length === 0 ? 0 : total / checkIns.length;
}

function finished(): PracticeMaterial[] {
  return materials.filter(({ practice }) => /^(completed|archived)$/.test(practice.status));
}

function eligible(): PracticeMaterial[] {
  return finished().filter(
    (material) => progressOf(material) >= 70 && averageLength(material) >= 30,
  );
}

async function everything(): Promise<string> {
  const { rows } = await database.pool.query<{ all: string }>(
    `SELECT concat(
       (SELECT json_agg(u ORDER BY id) FROM users u), (SELECT json_agg(p ORDER BY id) FROM practices p),
       (SELECT json_agg(c ORDER BY id) FROM practice_checkins c)) AS all`,
  );
  return rows[0]!.all;
}

describe('the seed', () => {
  test('is six people and twelve practices, one person new and one who shares nothing', async () => {
    assert.equal(materials.length, 12);
    const { rows } = await database.pool.query<{
      nickname: string;
      practices: number;
      isPrivate: boolean;
    }>(
      `SELECT nickname, preferred_locale, count(p.id)::integer AS practices,
         coalesce(bool_and(p.privacy_status = 'private'), false) AS "isPrivate"
       FROM users u LEFT JOIN practices p ON p.user_id = u.id GROUP BY u.id ORDER BY u.id`,
    );
    assert.deepEqual(
      rows.map(({ nickname, practices }) => [nickname, practices]),
      [
        ['小禾', 3],
        ['阿哲', 3],
        ['佩君', 3],
        ['念安', 1],
        ['Emily', 2],
        ['新島民', 0],
      ],
    );
    assert.deepEqual(
      rows.filter(({ isPrivate }) => isPrivate).map(({ nickname }) => nickname),
      ['念安'],
    );
  });

  test('names its users as the database knows them', async () => {
    const { rows } = await database.pool.query(
      'SELECT id, external_id AS "externalId", nickname, preferred_locale AS locale FROM users ORDER BY id',
    );
    assert.deepEqual(
      rows,
      SEED_USERS.map(({ id, externalId, nickname, locale }) => ({
        id,
        externalId,
        nickname,
        locale,
      })),
    );
  });

  test('again, at once, or on another day changes nothing', async () => {
    const loaded = await everything();
    const later = new Date('2026-08-01T00:00:00Z');
    await Promise.all([seed(database.pool, later), seed(database.pool, now)]);
    assert.equal(await everything(), loaded);
  });

  test('never overwrites an insight, an edit or a deletion', async () => {
    const client = await database.pool.connect();
    await client.query("UPDATE practices SET insight = 'written since'");
    await client.query('UPDATE practice_checkins SET deleted_at = now() WHERE id % 2 = 0');
    client.release();
    const edited = await everything();
    await seed(database.pool, now);
    assert.equal(await everything(), edited);
  });

  test('leaves the ids of its host alone', async () => {
    const { rows } = await database.pool.query<{ id: number }>(
      'INSERT INTO users (external_id) VALUES (gen_random_uuid()) RETURNING id',
    );
    assert.equal(rows[0]?.id, 1);
  });
});

describe('of the practices of the seed', () => {
  test('several are eligible for feedback, in both languages, however strictly one counts', () => {
    const locales = eligible()
      .filter(({ practice }) => !practice.insightEdited)
      .map(({ owner }) => owner.preferredLocale);
    assert.equal(locales.filter((locale) => locale === 'zh-TW').length, 5);
    assert.equal(locales.filter((locale) => locale === 'en').length, 1);
  });

  test('one is finished with too little in it, three are active, one has an edited insight', () => {
    const thin = finished().filter((material) => averageLength(material) < 30);
    assert.deepEqual(
      thin.map(({ practice }) => practice.title),
      ['整理十年的照片'],
    );
    assert.equal(materials.filter(({ practice }) => practice.status === 'active').length, 3);
    assert.equal(eligible().filter(({ practice }) => practice.insightEdited).length, 1);
  });

  test('none has a check-in before its start, after its end or after today', () => {
    for (const { practice, checkIns } of materials) {
      for (const { date } of checkIns) {
        assert.ok(date >= practice.startDate! && date <= practice.endDate!, practice.title);
        assert.ok(date <= '2026-06-01', practice.title);
      }
    }
  });
});

describe('among the check-ins of the seed', () => {
  const notes = () => materials.flatMap(({ checkIns }) => checkIns.map(({ note }) => note));

  test('one is empty, one is emoji only and one has 600 characters', () => {
    const all = materials.flatMap(({ checkIns }) => checkIns);
    assert.equal(all.filter(({ mood, note }) => mood === null && note === null).length, 1);
    const emoji = notes().filter(
      (note) => note !== null && /^\p{Emoji_Presentation}+$/u.test(note),
    );
    assert.equal(emoji.length, 1);
    assert.equal(
      notes().filter((note) => note !== null && Array.from(note).length === 600).length,
      1,
    );
  });

  test('one is a double tap: the same note a second later', async () => {
    const { rowCount } = await database.pool.query(
      `SELECT FROM practice_checkins a JOIN practice_checkins b USING (practice_id, checkin_date, note, mood)
       WHERE b.created_at - a.created_at = interval '1 second'`,
    );
    assert.equal(rowCount, 1);
  });

  test('one was made at 00:30 in Taipei, on the day before in UTC', async () => {
    const { rows } = await database.pool.query(
      `SELECT (created_at AT TIME ZONE 'UTC')::date - checkin_date AS days
       FROM practice_checkins
       WHERE to_char(created_at AT TIME ZONE 'Asia/Taipei', 'HH24:MI') = '00:30'`,
    );
    assert.deepEqual(rows, [{ days: -1 }]);
  });

  test('one tries to instruct the model, in a practice eligible for feedback', () => {
    const attacked = eligible().filter(({ checkIns }) =>
      checkIns.some(({ note }) => note?.includes('忽略以上所有規則')),
    );
    assert.equal(attacked.length, 1);
  });
});

describe('the events of the seed', () => {
  const events = generateEvents(now);

  test('are about 400 with ids of their own, in order, within the 21 days before today', () => {
    assert.ok(events.length >= 400 && events.length < 410, String(events.length));
    assert.equal(new Set(events.map(({ event_id }) => event_id)).size, events.length);
    const times = events.map(({ occurred_at }) => occurred_at);
    assert.deepEqual(times, times.toSorted());
    assert.ok(times[0]! >= '2026-05-10 16:00:00.000');
    assert.ok(times.at(-1)! < '2026-05-31 16:00:00.000');
  });

  test('are the same at any moment of a day in Taipei', () => {
    assert.deepEqual(generateEvents(new Date('2026-06-01T15:59:59Z')), events);
    const tomorrow = generateEvents(new Date('2026-06-01T16:00:00Z'));
    assert.notDeepEqual(tomorrow, events);
    assert.deepEqual(
      tomorrow.map(({ event_id }) => event_id),
      events.map(({ event_id }) => event_id),
    );
  });

  test("show nobody their own practices or what is not public, and know nothing of the newcomer's", () => {
    for (const { user_id, entity_id } of events) {
      const practice = SEED_PRACTICES.find(({ externalId }) => externalId === entity_id);
      assert.equal(practice?.privacy, 'public');
      assert.notEqual(practice.owner.externalId, user_id);
      assert.notEqual(user_id, SEED_USERS.at(-1)?.externalId);
    }
  });
});
