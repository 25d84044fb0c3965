/**
 * Seeds a small community: users, practices and check-ins in Postgres, behaviour events in ClickHouse. Dates count back
 * from the day of the first seeding, so that an "active" practice is in progress.
 */
import { transaction, type Pool, type Queryable } from '../stores/postgres.ts';
import { SEED_PRACTICES } from './practices.ts';
import { SEED_USERS } from './users.ts';

export { seedEvents } from './events.ts';
export { SEED_USERS } from './users.ts';

/** Adds the missing rows of the seed; existing rows keep their insights, edits and deletions. */
export async function seed(pool: Pool, now = new Date()): Promise<void> {
  await transaction(pool, async (tx) => {
    await insertUsers(tx);
    await insertPractices(tx, now);
    await insertCheckIns(tx);
  });
}

async function insertUsers(tx: Queryable): Promise<void> {
  await tx.query(
    `INSERT INTO users (id, external_id, nickname, personal_slogan, self_introduction, professional_field,
       interest_list, want_to_do_list, tag_list, preferred_locale)
     SELECT id, "externalId", nickname, "personalSlogan", "selfIntroduction", "professionalField",
       interests, "wantToDo", tags, locale
     FROM json_to_recordset($1) AS seed(
       id integer, "externalId" uuid, nickname text, "personalSlogan" text, "selfIntroduction" text,
       "professionalField" text[], interests text[], "wantToDo" text[], tags text[], locale text)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(SEED_USERS)],
  );
}

async function insertPractices(tx: Queryable, now: Date): Promise<void> {
  const rows = SEED_PRACTICES.map((practice) => ({
    ...practice,
    userId: practice.owner.id,
    minDays: practice.frequency[0],
    maxDays: practice.frequency[1],
  }));
  await tx.query(
    `INSERT INTO practices (id, external_id, user_id, title, practice_action, status, privacy_status,
       start_date, end_date, duration_days, frequency_min_days, frequency_max_days,
       session_duration_minutes, tags, progress_percentage, insight, insight_edited, reflection,
       completed_at, created_at)
     SELECT id, "externalId", "userId", title, action, status, privacy,
       first_day, last_day, "durationDays", "minDays", "maxDays",
       "sessionMinutes", tags, progress, "ownInsight", "ownInsight" IS NOT NULL, reflection,
       CASE WHEN status IN ('completed', 'archived')
         THEN (last_day + time '21:30') AT TIME ZONE 'Asia/Taipei' END,
       least((first_day + time '00:00') AT TIME ZONE 'Asia/Taipei', $2)
     FROM json_to_recordset($1) AS seed(
         id integer, "externalId" uuid, "userId" integer, title text, action text, status text, privacy text,
         "startedDaysAgo" integer, "durationDays" integer, "minDays" integer, "maxDays" integer,
         "sessionMinutes" integer, tags text[], progress integer, "ownInsight" text, reflection text),
       LATERAL (SELECT ($2::timestamptz AT TIME ZONE 'Asia/Taipei')::date - "startedDaysAgo" AS first_day),
       LATERAL (SELECT first_day + "durationDays" - 1 AS last_day)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(rows), now],
  );
}

/** Counts days from the stored start of each practice, which may be that of an earlier seeding. */
async function insertCheckIns(tx: Queryable): Promise<void> {
  const rows = SEED_PRACTICES.flatMap((practice) =>
    practice.checkIns.map((checkIn, index) => ({
      at: '21:00',
      ...checkIn,
      id: practice.id * 100 + index,
      practiceId: practice.id,
      userId: practice.owner.id,
    })),
  );
  await tx.query(
    `INSERT INTO practice_checkins (id, practice_id, user_id, checkin_date, mood, note, created_at)
     SELECT seed.id, "practiceId", "userId", start_date + day, mood, note,
       (start_date + day + at) AT TIME ZONE 'Asia/Taipei'
     FROM json_to_recordset($1) AS seed(
         id integer, "practiceId" integer, "userId" integer, day integer, at time, mood text, note text)
       JOIN practices ON practices.id = "practiceId"
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(rows)],
  );
}
