/** Reads one page of cards in the cached order. */
import { Compile } from 'typebox/compile';
import { findCards, type Card, type CardFor } from '../../db/daodao/cards.ts';
import { drawForToday, findLively } from '../../db/daodao/recommendation-sources.ts';
import { AppError } from '../../base/errors.ts';
import {
  CardList,
  cardsKey,
  MOST_CARDS,
  POPULAR_KEY,
  type RankedCard,
} from '../../jobs/recommendations/cards.ts';
import { keepShare } from '../../jobs/recommendations/share.ts';
import { sentenceFor } from '../../jobs/recommendations/reasons.ts';
import type { RouteContext } from '../context.ts';

export interface CardQuery {
  limit: number;
  cursor?: string | undefined;
  /** Only cards with one of these tags. Default: all. */
  tags: readonly string[];
  /** External ids of cards already on screen. */
  excludeIds: readonly string[];
}

export interface ShownCard extends Card {
  reason: RankedCard['reason'];
  reasonText: string;
}

export interface CardPage {
  cards: ShownCard[];
  nextCursor: string | null;
  /** `personal`: chosen for this user. */
  source: 'personal' | 'popular';
  isCached: boolean;
}

const cardList = Compile(CardList);

/** Extra cards per read, to replace those that may no longer be shown. */
const SPARE = 2;

/** @throws {AppError} `REQUEST_INVALID` for an invalid cursor. */
export async function readCards(
  { db, cache }: Pick<RouteContext, 'db' | 'cache'>,
  userId: string,
  { limit, cursor, tags, excludeIds }: CardQuery,
): Promise<CardPage> {
  const { ranked, ...about } = await readOrder({ db, cache }, userId);
  const excluded = new Set(excludeIds.map((id) => id.toLowerCase()));
  const rest = ranked.slice(placeAfter(ranked, cursor)).filter(({ id }) => !excluded.has(id));
  const page: { card: CardFor; because: RankedCard }[] = [];
  // The first part is usually enough: few cards become hidden in a day.
  const part = limit + 1 + SPARE;
  for (let from = 0; from < rest.length && page.length <= limit; from += part) {
    const some = rest.slice(from, from + part);
    const shown = await findCards(
      db,
      userId,
      some.map(({ id }) => id),
    );
    for (const because of some) {
      const card = shown.get(because.id);
      const fits = tags.length === 0 || tags.some((tag) => card?.tags.includes(tag));
      if (card !== undefined && fits) page.push({ card, because });
    }
  }
  const cards = page
    .slice(0, limit)
    .map(({ card: { locale, ...card }, because: { reason, shared } }) => ({
      ...card,
      reason,
      reasonText: sentenceFor(reason, shared, locale),
    }));
  const last = cards.at(-1);
  const hasMore = page.length > limit && last !== undefined;
  return { cards, nextCursor: hasMore ? cursorAfter(ranked, last.id) : null, ...about };
}

/** The order of the user, otherwise that of popular cards. An unavailable cache counts as empty. */
async function readOrder(
  { db, cache }: Pick<RouteContext, 'db' | 'cache'>,
  userId: string,
): Promise<Pick<CardPage, 'source' | 'isCached'> & { ranked: readonly RankedCard[] }> {
  for (const [key, source] of [
    [cardsKey(userId), 'personal'],
    [POPULAR_KEY, 'popular'],
  ] as const) {
    const entry = await cache.get(key).catch(() => undefined);
    if (cardList.Check(entry?.value) && entry.value.cards.length > 0) {
      return { ranked: entry.value.cards, source, isCached: true };
    }
  }
  const lively = await findLively(db, MOST_CARDS);
  const { day, ids } = await drawForToday(db, MOST_CARDS);
  const known = new Set(lively.map(({ id }) => id));
  const others = ids.filter((id) => !known.has(id)).map((id) => ({ id }));
  const ranked = keepShare(lively, others, MOST_CARDS, day).map(({ id }) => ({
    id,
    reason: 'popular_content' as const,
  }));
  return { ranked, source: 'popular', isCached: false };
}

/** A cursor has the index and id of the last card; the id finds the place when the order has changed. */
function cursorAfter(ranked: readonly RankedCard[], id: string): string {
  const place = ranked.findIndex((card) => card.id === id);
  return Buffer.from(`${place}:${id}`).toString('base64url');
}

function placeAfter(ranked: readonly RankedCard[], cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const match = /^(\d{1,6}):([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match === null) {
    throw new AppError('REQUEST_INVALID', {
      message: 'cursor (query) must be the cursor returned with the previous page.',
    });
  }
  const found = ranked.findIndex(({ id }) => id === match[2]);
  return (found === -1 ? Number(match[1]) : found) + 1;
}
