/** `ai.recommendation_feedback`: likes and dislikes of recommended practices. */
import type { Queryable } from '../stores/postgres.ts';

export type Verdict = 'like' | 'dislike';

/** Sets a verdict; repeating it removes it. @returns the current verdict, undefined for none. */
export async function giveVerdict(
  db: Queryable,
  userId: string,
  practiceId: string,
  verdict: Verdict,
): Promise<Verdict | undefined> {
  const { rowCount } = await db.query(
    'DELETE FROM ai.recommendation_feedback WHERE user_id = $1 AND practice_id = $2 AND verdict = $3',
    [userId, practiceId, verdict],
  );
  if (rowCount === 1) return undefined;
  await db.query(
    `INSERT INTO ai.recommendation_feedback (user_id, practice_id, verdict) VALUES ($1, $2, $3)
     ON CONFLICT (user_id, practice_id) DO UPDATE SET verdict = excluded.verdict, updated_at = now()`,
    [userId, practiceId, verdict],
  );
  return verdict;
}

/** Newest verdicts to read per user. */
const MOST = 100;

export interface Verdicts {
  liked: string[];
  disliked: string[];
}

/** Verdicts by external id of the user, newest first. Omits users without any. */
export async function findVerdicts(
  db: Queryable,
  userIds: readonly string[],
): Promise<Map<string, Verdicts>> {
  const { rows } = await db.query<{ user_id: string; practice_id: string; verdict: Verdict }>(
    `SELECT user_id, practice_id, verdict FROM (
       SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY updated_at DESC, practice_id) AS place
       FROM ai.recommendation_feedback WHERE user_id = ANY($1)) newest
     WHERE place <= ${MOST} ORDER BY user_id, place`,
    [userIds],
  );
  const found = new Map<string, Verdicts>();
  for (const { user_id: userId, practice_id: practiceId, verdict } of rows) {
    const verdicts = found.get(userId) ?? { liked: [], disliked: [] };
    found.set(userId, verdicts);
    verdicts[verdict === 'like' ? 'liked' : 'disliked'].push(practiceId);
  }
  return found;
}
