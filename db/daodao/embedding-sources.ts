/**
 * What embeddings are made from: users with all their practices, as DaoDao's tables have them now.
 */
import type { PracticeState } from './practices.ts';
import type { Queryable } from '../stores/postgres.ts';

export type Privacy = 'private' | 'public' | 'delayed';

export interface PracticeSource {
  externalId: string;
  title: string;
  practiceAction: string | null;
  status: PracticeState;
  privacy: Privacy;
  tags: string[];
  isDeleted: boolean;
  /** Of public practices alone, the newest first; empty ones are left out. */
  notes: string[];
}

export interface UserSource {
  externalId: string;
  locale: 'zh-TW' | 'en';
  personalSlogan: string | null;
  selfIntroduction: string | null;
  professionalField: string[];
  interests: string[];
  wantToDo: string[];
  tags: string[];
  /** All of the user's, deleted ones included. */
  practices: PracticeSource[];
  /** How new the newest of these rows is, to the microsecond. */
  sourceAt: string;
}

/** Newest notes of a practice that are read at all. */
const MAX_NOTES = 50;

/** How new a practice with its check-ins is. */
const PRACTICE_AT = `greatest(p.updated_at, p.deleted_at,
  (SELECT max(greatest(c.created_at, c.deleted_at)) FROM practice_checkins c WHERE c.practice_id = p.id))`;

/** How new a user with all of that is. */
const USER_AT = `greatest(u.updated_at, (SELECT max(${PRACTICE_AT}) FROM practices p WHERE p.user_id = u.id))`;

/** Users by external id, each read in one statement with all that belongs to it; unknown ones are left out. */
export async function findUserSources(
  db: Queryable,
  userIds: readonly string[],
): Promise<UserSource[]> {
  const { rows } = await db.query<UserSource>(
    `SELECT u.external_id AS "externalId",
       CASE WHEN u.preferred_locale = 'en' THEN 'en' ELSE 'zh-TW' END AS locale,
       u.personal_slogan AS "personalSlogan", u.self_introduction AS "selfIntroduction",
       u.professional_field AS "professionalField", u.interest_list AS interests,
       u.want_to_do_list AS "wantToDo", u.tag_list AS tags,
       (SELECT coalesce(json_agg(json_build_object(
           'externalId', p.external_id, 'title', p.title, 'practiceAction', p.practice_action, 'status', p.status,
           'privacy', p.privacy_status, 'tags', p.tags, 'isDeleted', p.deleted_at IS NOT NULL,
           'notes', CASE WHEN p.privacy_status = 'public' THEN (
             SELECT coalesce(json_agg(n.note), '[]') FROM (
               SELECT c.note FROM practice_checkins c
               WHERE c.practice_id = p.id AND c.user_id = p.user_id AND c.deleted_at IS NULL AND btrim(c.note) <> ''
               ORDER BY c.checkin_date DESC, c.id DESC LIMIT ${MAX_NOTES}) n) ELSE '[]' END
         ) ORDER BY p.id), '[]')
        FROM practices p WHERE p.user_id = u.id) AS practices,
       (${USER_AT})::text AS "sourceAt"
     FROM users u WHERE u.external_id = ANY($1) ORDER BY u.id`,
    [userIds],
  );
  return rows;
}

export interface StaleUser {
  /** Internal id: where the next page begins. */
  id: number;
  externalId: string;
}

/**
 * Users whose rows are newer than what the collection holds of them, or whose last write was cut short, in the order of their
 * internal ids.
 * @param page.collection that of users; what belongs to a user is written before the user is.
 * @param page.after internal id after which to look.
 * @param page.sinceVersion those written under an earlier version count as changed.
 */
export async function findStaleUsers(
  db: Queryable,
  page: { collection: string; after: number; sinceVersion: number; limit: number },
): Promise<StaleUser[]> {
  const { rows } = await db.query<StaleUser>(
    `SELECT u.id, u.external_id AS "externalId"
     FROM users u LEFT JOIN ai.embedding_state s ON s.collection = $1 AND s.entity_id = u.external_id
     WHERE u.id > $2 AND (s.written_version IS DISTINCT FROM s.version OR s.version IS NULL OR s.version < $3
       OR s.source_at < ${USER_AT})
     ORDER BY u.id LIMIT $4`,
    [page.collection, page.after, page.sinceVersion, page.limit],
  );
  return rows;
}
