/** Reads one page of cards in the cached order. */
import { findCards, type CardFor } from '../../db/daodao/cards.ts';
import { AppError } from '../../base/errors.ts';
import type { RankedCard } from '../../jobs/recommendations/cards.ts';
import { sentenceFor } from '../../jobs/recommendations/reasons.ts';
import type { RouteContext } from '../context.ts';
import type { CardOrder } from './order.ts';

export interface CardQuery {
  limit: number;
  cursor?: string | undefined;
  /** Only cards with one of these tags. Default: all. */
  tags: readonly string[];
  /** External ids of cards already on screen. */
  excludeIds: readonly string[];
}

export interface ShownCard {
  card: CardFor;
  reason: RankedCard['reason'];
  reasonText: string;
}

export interface CardPage extends Omit<CardOrder, 'ranked'> {
  cards: ShownCard[];
  nextCursor: string | null;
}

/** Extra cards per read, to replace those that may no longer be shown. */
const SPARE = 2;

/** @throws {AppError} `REQUEST_INVALID` for an invalid cursor. */
export async function readCards(
  { reader, readOrder }: Pick<RouteContext, 'reader' | 'readOrder'>,
  userId: string,
  { limit, cursor, tags, excludeIds }: CardQuery,
): Promise<CardPage> {
  const { ranked, ...about } = await readOrder(userId);
  const excluded = new Set(excludeIds.map((id) => id.toLowerCase()));
  const rest = ranked.slice(placeAfter(ranked, cursor)).filter(({ id }) => !excluded.has(id));
  const page: { card: CardFor; because: RankedCard }[] = [];
  // The first part is usually enough: few cards become hidden in a day.
  const part = limit + 1 + SPARE;
  for (let from = 0; from < rest.length && page.length <= limit; from += part) {
    const some = rest.slice(from, from + part);
    const shown = await findCards(
      reader,
      userId,
      some.map(({ id }) => id),
    );
    for (const because of some) {
      const card = shown.get(because.id);
      const fits = tags.length === 0 || tags.some((tag) => card?.tags.includes(tag));
      if (card !== undefined && fits) page.push({ card, because });
    }
  }
  const cards = page.slice(0, limit).map(({ card, because: { reason, shared } }) => ({
    card,
    reason,
    reasonText: sentenceFor(reason, shared, card.locale),
  }));
  const last = cards.at(-1);
  const hasMore = page.length > limit && last !== undefined;
  return { cards, nextCursor: hasMore ? cursorAfter(ranked, last.card.id) : null, ...about };
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
