/**
 * Rows of the read model with no more said than a test cares about.
 */
import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../../db/stores/postgres.ts';

interface Row {
  id: number;
  externalId: string;
}

/** Columns by name; the database's own defaults for the rest. */
type Columns = Record<string, unknown>;

export async function insertUser(db: Queryable, columns: Columns = {}): Promise<Row> {
  return insert(db, 'users', { external_id: randomUUID(), ...columns });
}

/** A finished practice of one week, unless told otherwise. */
export async function insertPractice(
  db: Queryable,
  userId: number,
  columns: Columns = {},
): Promise<Row> {
  return insert(db, 'practices', {
    external_id: randomUUID(),
    user_id: userId,
    title: '讀書',
    status: 'completed',
    duration_days: 7,
    frequency_min_days: 3,
    frequency_max_days: 5,
    ...columns,
  });
}

const NOTE =
  '今天比昨天早十分鐘開始，窗邊的光剛好落在書頁上，讀到第三章時忽然懂了作者為什麼要從結尾寫起。';

/** A finished practice that gets feedback. @returns its external id. */
export async function insertTellingPractice(db: Queryable, userId: number): Promise<string> {
  const practice = await insertPractice(db, userId, { progress_percentage: 100 });
  for (const day of ['2026-01-05', '2026-01-07', '2026-01-09'])
    await insertCheckIn(db, practice.id, userId, day, { note: `${NOTE}${day}`, mood: 'good' });
  return practice.externalId;
}

export async function insertCheckIn(
  db: Queryable,
  practiceId: number,
  userId: number,
  date: string,
  columns: Columns = {},
): Promise<void> {
  const row = { practice_id: practiceId, user_id: userId, checkin_date: date, ...columns };
  await insert(db, 'practice_checkins', row, 'id');
}

async function insert(
  db: Queryable,
  table: string,
  columns: Columns,
  returning = 'id, external_id AS "externalId"',
): Promise<Row> {
  const names = Object.keys(columns);
  const places = names.map((_, index) => `$${index + 1}`);
  const { rows } = await db.query<Row & { [column: string]: unknown }>(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')}) RETURNING ${returning}`,
    Object.values(columns),
  );
  return rows[0]!;
}
