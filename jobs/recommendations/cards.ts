/**
 * What is cached of recommendations: an order of practices with reasons. Whether each may still be shown is asked when it is.
 */
import { Type, type Static } from 'typebox';
import { REASONS, type Reason } from './score.ts';

/** One place in the order. */
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

/** Cards kept for one person. */
export const MOST_CARDS = 100;

/** Both are made anew every night: long enough for nights that fail. Whatever they hold, what is shown is asked of Postgres. */
export const TTL_SECONDS = 3 * 86_400;

/** The cache of one person, by external id. */
export const cardsKey = (userId: string): string => `topic_cards:${userId}`;
/** The cache for everyone about whom nothing is known. */
export const POPULAR_KEY = 'popular';
