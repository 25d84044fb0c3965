/** The order in which practices are offered to a user. */
import { Compile } from 'typebox/compile';
import { makeOnce } from '../../base/make-once.ts';
import { drawForToday, findLively } from '../../db/daodao/recommendation-sources.ts';
import type { Queryable } from '../../db/stores/postgres.ts';
import {
  CardList,
  cardsKey,
  MOST_CARDS,
  POPULAR_KEY,
  type RankedCard,
} from '../../jobs/recommendations/cards.ts';
import { keepShare } from '../../jobs/recommendations/share.ts';
import type { VersionedCache } from '../../jobs/resources.ts';

export interface CardOrder {
  ranked: readonly RankedCard[];
  /** `personal`: chosen for this user. */
  source: 'personal' | 'popular';
  isCached: boolean;
}

/** @param userId external id. */
export type ReadOrder = (userId: string) => Promise<CardOrder>;

/** How long a process keeps the popular cards, in milliseconds. Ranking them reads every practice that may be shown. */
const POPULAR_MS = 5000;

const cardList = Compile(CardList);

/** Reads the user's own order, otherwise that of popular cards. An unavailable cache counts as empty. */
export function orderReader({
  reader,
  cache,
}: {
  reader: Queryable;
  cache: Pick<VersionedCache, 'get'>;
}): ReadOrder {
  const readCached = async (key: string): Promise<RankedCard[] | undefined> => {
    const entry = await cache.get(key).catch(() => undefined);
    return cardList.Check(entry?.value) && entry.value.cards.length > 0
      ? entry.value.cards
      : undefined;
  };
  const popular = makeOnce(async (): Promise<CardOrder> => {
    const cached = await readCached(POPULAR_KEY);
    const ranked = cached ?? (await rankPopular(reader));
    return { ranked, source: 'popular', isCached: cached !== undefined };
  }, POPULAR_MS);

  return async (userId) => {
    const ranked = await readCached(cardsKey(userId));
    return ranked === undefined ? popular() : { ranked, source: 'personal', isCached: true };
  };
}

async function rankPopular(db: Queryable): Promise<RankedCard[]> {
  const lively = await findLively(db, MOST_CARDS);
  const { day, ids } = await drawForToday(db, MOST_CARDS);
  const known = new Set(lively.map(({ id }) => id));
  const others = ids.filter((id) => !known.has(id)).map((id) => ({ id }));
  return keepShare(lively, others, MOST_CARDS, day).map(({ id }) => ({
    id,
    reason: 'popular_content',
  }));
}
