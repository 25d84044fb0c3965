/** Reads for recommendations: users with their interests, and practices that others may see. */
import type { Queryable } from '../stores/postgres.ts';

export interface Learner {
  /** Internal id. */
  id: number;
  externalId: string;
  locale: 'zh-TW' | 'en';
  /** Tags and interests. */
  tags: string[];
  professionalField: string[];
  /** Tags of ongoing practices. */
  ongoingTags: string[];
}

const LEARNER = `SELECT u.id, u.external_id AS "externalId",
    CASE WHEN u.preferred_locale = 'en' THEN 'en' ELSE 'zh-TW' END AS locale,
    u.tag_list || u.interest_list AS tags, u.professional_field AS "professionalField",
    (SELECT coalesce(array_agg(DISTINCT tag), '{}') FROM practices p, unnest(p.tags) AS tag
     WHERE p.user_id = u.id AND p.status = 'active' AND p.deleted_at IS NULL) AS "ongoingTags"
  FROM users u`;

/** A page of users in the order of internal ids. */
export async function listLearners(
  db: Queryable,
  { after, limit }: { after: number; limit: number },
): Promise<Learner[]> {
  const { rows } = await db.query<Learner & Record<string, unknown>>(
    `${LEARNER} WHERE u.id > $1 ORDER BY u.id LIMIT $2`,
    [after, limit],
  );
  return rows;
}

export async function findLearner(db: Queryable, userId: string): Promise<Learner | undefined> {
  const { rows } = await db.query<Learner & Record<string, unknown>>(
    `${LEARNER} WHERE u.external_id = $1`,
    [userId],
  );
  return rows[0];
}

/** Condition under which others may see a practice. */
export const SHOWN = `p.privacy_status = 'public' AND p.status IN ('active', 'completed') AND p.deleted_at IS NULL`;

/** A practice; both ids are external. */
export interface Candidate {
  id: string;
  ownerId: string;
  tags: string[];
  ownerField: string[];
}

const CANDIDATE = `SELECT p.external_id AS id, u.external_id AS "ownerId", p.tags, u.professional_field AS "ownerField"
  FROM practices p JOIN users u ON u.id = p.user_id`;

/** Those of the given practices that others may see. */
export async function findCandidates(db: Queryable, ids: readonly string[]): Promise<Candidate[]> {
  const { rows } = await db.query<Candidate & Record<string, unknown>>(
    `${CANDIDATE} WHERE p.external_id = ANY($1) AND ${SHOWN}`,
    [ids],
  );
  return rows;
}

/** Newest practices with one of these tags: replaces the vector store while that is unavailable. */
export async function findTagged(
  db: Queryable,
  tags: readonly string[],
  limit: number,
): Promise<Candidate[]> {
  if (tags.length === 0) return [];
  const { rows } = await db.query<Candidate & Record<string, unknown>>(
    `${CANDIDATE} WHERE p.tags && $1::text[] AND ${SHOWN} ORDER BY p.created_at DESC, p.id DESC LIMIT $2`,
    [tags, limit],
  );
  return rows;
}

/**
 * Practices by the activity of others than their owners, most active first: replaces ClickHouse while that is unavailable. A person
 * counts once for a like, and once for each day of a check-in.
 */
export async function findLively(
  db: Queryable,
  limit: number,
): Promise<{ id: string; score: number }[]> {
  const { rows } = await db.query<{ id: string; score: number }>(
    `SELECT p.external_id AS id, (
         (SELECT count(DISTINCT (c.user_id, c.checkin_date)) FROM practice_checkins c
          WHERE c.practice_id = p.id AND c.user_id <> p.user_id AND c.deleted_at IS NULL AND c.created_at > now() - interval '30 days')
         + (SELECT count(*) FROM ai.recommendation_feedback f
            WHERE f.practice_id = p.external_id AND f.verdict = 'like' AND f.user_id <> u.external_id::text))::float8 AS score
     FROM practices p JOIN users u ON u.id = p.user_id
     WHERE ${SHOWN} ORDER BY score DESC, p.created_at DESC, p.id DESC LIMIT $1`,
    [limit],
  );
  return rows;
}

/** The day in Taipei, `YYYY-MM-DD`, and practices that are drawn for it from all that may be shown, the same ones all day. */
export async function drawForToday(
  db: Queryable,
  limit: number,
): Promise<{ day: string; ids: string[] }> {
  const { rows } = await db.query<{ day: string; ids: string[] }>(
    `SELECT day, array(
       SELECT p.external_id::text FROM practices p WHERE ${SHOWN} ORDER BY md5(p.external_id::text || day), p.id LIMIT $1) AS ids
     FROM to_char(now() AT TIME ZONE 'Asia/Taipei', 'YYYY-MM-DD') AS day`,
    [limit],
  );
  return rows[0]!;
}

/** Sequence of versions of cached lists. */
export const RECOMMENDATION_VERSION = 'ai.recommendation_version';
