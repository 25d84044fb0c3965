/** Cached recommendations: practices in order, with reasons. Readers check in Postgres whether each may still be shown. */
import { Type, type Static } from 'typebox';
import { REASONS, type Reason } from './score.ts';

export const RankedCard = Type.Object({
  /** External id of the practice. */
  id: Type.String(),
  reason: Type.Enum([...REASONS], { type: 'string' }),
  shared: Type.Optional(Type.String()),
});
export interface RankedCard {
  id: string;
  reason: Reason;
  shared?: string | undefined;
}

export const CardList = Type.Object({ cards: Type.Array(RankedCard) });
export type CardList = Static<typeof CardList>;

/** Maximum cards per user. */
export const MOST_CARDS = 100;

/** Both caches are rebuilt nightly, so this survives failed nights. Stale entries are harmless: reads check Postgres. */
export const TTL_SECONDS = 3 * 86_400;

/** @param userId external id. */
export const cardsKey = (userId: string): string => `topic_cards:${userId}`;
/** For users without any data. */
export const POPULAR_KEY = 'popular';
