/** Reads practices, their check-ins and owners from DaoDao's own tables (the read model). */
import type { Queryable } from '../stores/postgres.ts';

export type PracticeState = 'draft' | 'not_started' | 'active' | 'completed' | 'archived';
export type Mood = 'give_up' | 'frustrated' | 'bored' | 'neutral' | 'good' | 'happy';

export interface Practice {
  id: number;
  externalId: string;
  /** External id of the owner. */
  ownerId: string;
  title: string;
  practiceAction: string | null;
  status: PracticeState;
  startDate: string | null;
  endDate: string | null;
  durationDays: number;
  frequencyMinDays: number;
  frequencyMaxDays: number;
  sessionDurationMinutes: number | null;
  tags: string[];
  /** 0 to 100; null when the product has not stored it. */
  progressPercentage: number | null;
  reflection: string | null;
  insightEdited: boolean;
}

export interface CheckIn {
  id: number;
  /** Calendar day in Asia/Taipei, `YYYY-MM-DD`. */
  date: string;
  mood: Mood | null;
  note: string | null;
}

export interface Owner {
  externalId: string;
  nickname: string | null;
  personalSlogan: string | null;
  professionalField: string[];
  tags: string[];
  preferredLocale: 'zh-TW' | 'en';
}

/** The inputs of feedback. */
export interface PracticeMaterial {
  practice: Practice;
  owner: Owner;
  /** The owner's check-ins, without deleted ones, oldest first. */
  checkIns: CheckIn[];
}

/**
 * Finds practices that are not deleted by their external ids, UUIDs in lower case. A single statement gives a consistent snapshot.
 * Postgres formats the days, as the driver would turn them into local midnights.
 * @returns in order: undefined for a practice that is not there.
 */
export async function findPracticeMaterials(
  db: Queryable,
  practiceIds: readonly string[],
): Promise<(PracticeMaterial | undefined)[]> {
  const { rows } = await db.query<PracticeMaterial>(
    `SELECT
       json_build_object(
         'id', p.id, 'externalId', p.external_id, 'ownerId', u.external_id,
         'title', p.title, 'practiceAction', p.practice_action, 'status', p.status,
         'startDate', to_char(p.start_date, 'YYYY-MM-DD'), 'endDate', to_char(p.end_date, 'YYYY-MM-DD'),
         'durationDays', p.duration_days,
         'frequencyMinDays', p.frequency_min_days, 'frequencyMaxDays', p.frequency_max_days,
         'sessionDurationMinutes', p.session_duration_minutes,
         'tags', p.tags, 'progressPercentage', p.progress_percentage,
         'reflection', p.reflection, 'insightEdited', p.insight_edited
       ) AS practice,
       json_build_object(
         'externalId', u.external_id, 'nickname', u.nickname, 'personalSlogan', u.personal_slogan,
         'professionalField', u.professional_field, 'tags', u.tag_list,
         'preferredLocale', CASE WHEN u.preferred_locale = 'en' THEN 'en' ELSE 'zh-TW' END
       ) AS owner,
       (SELECT coalesce(json_agg(
            json_build_object(
              'id', c.id, 'date', to_char(c.checkin_date, 'YYYY-MM-DD'), 'mood', c.mood, 'note', c.note
            ) ORDER BY c.checkin_date, c.created_at, c.id), '[]')
        FROM practice_checkins c
        WHERE c.practice_id = p.id AND c.user_id = p.user_id AND c.deleted_at IS NULL
       ) AS "checkIns"
     FROM practices p JOIN users u ON u.id = p.user_id
     WHERE p.external_id = ANY($1) AND p.deleted_at IS NULL`,
    [practiceIds],
  );
  const found = new Map(rows.map((material) => [material.practice.externalId, material]));
  return practiceIds.map((id) => found.get(id));
}

export async function findPracticeMaterial(
  db: Queryable,
  practiceId: string,
): Promise<PracticeMaterial | undefined> {
  const [material] = await findPracticeMaterials(db, [practiceId]);
  return material;
}

interface FinishedPage {
  /** Internal id. */
  before: number;
  limit: number;
  /** Name of the feedback task. */
  task: string;
  mostFailed: number;
}

interface FinishedPractice {
  id: number;
  externalId: string;
}

/**
 * A page of practices that may need feedback: finished, not deleted, without feedback or an edited insight, and with fewer than
 * `mostFailed` failures of `task` since their last change. Descending by internal id, starting below `before`.
 */
export async function listFinishedPractices(
  db: Queryable,
  { before, limit, task, mostFailed }: FinishedPage,
): Promise<FinishedPractice[]> {
  const { rows } = await db.query<FinishedPractice & Record<string, unknown>>(
    `SELECT p.id, p.external_id AS "externalId" FROM practices p
     WHERE p.id < $1::bigint AND p.status IN ('completed', 'archived') AND p.deleted_at IS NULL AND NOT p.insight_edited
       AND NOT EXISTS (SELECT FROM ai.practice_feedback f WHERE f.practice_id = p.external_id)
       AND ai.failures($4, p.external_id::text, p.updated_at) < $3
     ORDER BY p.id DESC LIMIT $2`,
    [before, limit, mostFailed, task],
  );
  return rows;
}

/** External id of a practice's owner, even if the practice is deleted. */
export async function findOwner(db: Queryable, practiceId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT u.external_id AS id FROM practices p JOIN users u ON u.id = p.user_id WHERE p.external_id = $1',
    [practiceId],
  );
  return rows[0]?.id;
}
