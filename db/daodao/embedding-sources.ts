/** Reads the sources of embeddings from DaoDao's tables: users with all their practices. */
import type { PracticeState } from './practices.ts';
import type { Queryable } from '../stores/postgres.ts';

type Privacy = 'private' | 'public' | 'delayed';

export interface PracticeSource {
  externalId: string;
  title: string;
  practiceAction: string | null;
  status: PracticeState;
  privacy: Privacy;
  tags: string[];
  isDeleted: boolean;
  /** Of public practices only, newest first, without blank ones. */
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
  /** All practices of the user, including deleted ones. */
  practices: PracticeSource[];
  /** Latest change of any of these rows, to the microsecond. */
  sourceAt: string;
}

/** Newest notes to read per practice. */
const MAX_NOTES = 50;

/** Latest change of a practice or its check-ins. */
const PRACTICE_AT = `greatest(p.updated_at, p.deleted_at,
  (SELECT max(greatest(c.created_at, c.deleted_at)) FROM practice_checkins c WHERE c.practice_id = p.id))`;

/** Latest change of a user or the user's practices. */
const USER_AT = `greatest(u.updated_at, (SELECT max(${PRACTICE_AT}) FROM practices p WHERE p.user_id = u.id))`;

/** Finds users by external id, each from one snapshot. Omits unknown ids. */
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

interface StaleUser {
  /** Internal id, the cursor of the next page. */
  id: number;
  externalId: string;
}

/**
 * Users who changed since the collection was last written, or whose last write was interrupted, in the order of internal ids.
 * @param page.collection the users' collection, as a user is written after all of the user's practices.
 * @param page.after internal id of the last user of the previous page.
 * @param page.sinceVersion treats users written under an earlier version as changed.
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
