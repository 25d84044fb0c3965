/** Reads practices as cards. The queries decide what may be shown now; caches and the vector store may be stale. */
import type { Queryable } from '../stores/postgres.ts';
import { SHOWN } from './recommendation-sources.ts';

export interface Card {
  /** External id. */
  id: string;
  /** Internal id. */
  targetId: number;
  title: string;
  description: string | null;
  creatorId: string;
  creatorName: string | null;
  tags: string[];
  isLiked: boolean;
}

/** A card with the language of its reader. */
export interface CardFor extends Card {
  locale: 'zh-TW' | 'en';
}

/** Tags of a card; a practice with more shows the first. */
export const CARD_TAGS = 20;
/** Characters of a title or description; longer ones are cut. */
const CARD_TEXT = 2000;

/**
 * Finds those practices that the user may see: public, active or completed, by others and not disliked. Aggregates them into one
 * JSON document, as reading field by field takes twice as long and produces over 50 % more garbage.
 */
export async function findCards(
  db: Queryable,
  userId: string,
  ids: readonly string[],
): Promise<Map<string, CardFor>> {
  const { rows } = await db.query<{ cards: CardFor[] }>(
    `SELECT coalesce(json_agg(card), '[]') AS cards FROM (
     SELECT p.external_id AS id, p.id AS "targetId", left(p.title, ${CARD_TEXT}) AS title,
       left(p.practice_action, ${CARD_TEXT}) AS description,
       u.external_id AS "creatorId", u.nickname AS "creatorName", p.tags[1:${CARD_TAGS}] AS tags, f.verdict IS NOT NULL AS "isLiked",
       CASE WHEN reader.preferred_locale = 'en' THEN 'en' ELSE 'zh-TW' END AS locale
     FROM practices p JOIN users u ON u.id = p.user_id
       LEFT JOIN users reader ON reader.external_id = $3
       LEFT JOIN ai.recommendation_feedback f ON f.user_id = $1 AND f.practice_id = p.external_id
     WHERE p.external_id = ANY($2) AND ${SHOWN} AND u.external_id::text <> $1
       AND f.verdict IS DISTINCT FROM 'dislike') AS card`,
    [userId, ids, userId],
  );
  return new Map(rows[0]!.cards.map((card) => [card.id, card]));
}

/** Whether the user may see the practice, ignoring the user's verdict on it. */
export async function isShownTo(db: Queryable, userId: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM practices p JOIN users u ON u.id = p.user_id
     WHERE p.external_id = $2 AND ${SHOWN} AND u.external_id::text <> $1`,
    [userId, id],
  );
  return rowCount === 1;
}
