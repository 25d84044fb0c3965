/** Ranks the best practices of others for each user and caches the order, page by page, each page once. */
import { Type, type Static } from 'typebox';
import {
  findLearner,
  listLearners,
  RECOMMENDATION_VERSION,
  type Learner,
} from '../../db/daodao/recommendation-sources.ts';
import { cacheValue } from '../common/cache-value.ts';
import type { Context } from '../define.ts';
import { inPages } from '../framework/in-pages.ts';
import { cardsKey, POPULAR_KEY, TTL_SECONDS, type RankedCard } from './cards.ts';
import { gather, gatherPopular, Missing, MOST_POPULAR, type Popular } from './gather.ts';
import { rank } from './rank.ts';
import { keepShare } from './share.ts';

/** Users per page. */
const PAGE = 100;

/** Days of people that make a practice fully popular where none has more: one person alone does not. */
const FEW = 5;

export const Refreshed = Type.Object({
  users: Type.Integer(),
  /** Unavailable stores, whose data the ranking lacks. */
  missing: Type.Array(Missing),
});
export type Refreshed = Static<typeof Refreshed>;

/** @param pageLimitMs how far each page extends the time limits of the task. */
export async function refreshEveryone(ctx: Context, pageLimitMs: number): Promise<Refreshed> {
  // Taken before any read and kept by later attempts: a refresh that starts later has newer data and must win.
  const version = await ctx.step('version', () => ctx.nextval(RECOMMENDATION_VERSION));
  const popular = await ctx.step('popular', () => gatherPopular(ctx));
  await keepPopular(popular, version, ctx);
  let [page, after] = [1, 0];
  const missing = new Set(popular.missing);
  const users = await inPages(ctx, { pageLimitMs, unit: 'users' }, async () => {
    // A later attempt skips pages that earlier ones finished.
    const done = await ctx.step(`page ${page++}`, async () => {
      const people = await listLearners(ctx.db, { after, limit: PAGE });
      const found = await refreshPeople(people, popular, version, ctx);
      return { users: people.length, last: people.at(-1)?.id ?? after, missing: found };
    });
    after = done.last;
    for (const store of done.missing) missing.add(store);
    return { items: done.users, isLast: done.users < PAGE };
  });
  return { users, missing: [...missing] };
}

export async function refreshOne(userId: string, ctx: Context): Promise<Refreshed> {
  const version = await ctx.nextval(RECOMMENDATION_VERSION);
  const person = await findLearner(ctx.db, userId);
  if (person === undefined) return { users: 0, missing: [] };
  const popular = await gatherPopular(ctx);
  const missing = await refreshPeople([person], popular, version, ctx);
  return { users: 1, missing: [...new Set([...popular.missing, ...missing])] };
}

async function keepPopular(
  { practices, drawn }: Popular,
  version: number,
  ctx: Context,
): Promise<void> {
  const ranked = practices.map(({ id }) => ({ id }));
  const ids = new Set(practices.map(({ id }) => id));
  const others = drawn.ids.filter((id) => !ids.has(id)).map((id) => ({ id }));
  const cards = keepShare(ranked, others, MOST_POPULAR, drawn.day).map(({ id }): RankedCard => ({
    id,
    reason: 'popular_content',
  }));
  await cacheValue(ctx, POPULAR_KEY, version, { cards }, TTL_SECONDS);
}

async function refreshPeople(
  people: readonly Learner[],
  popular: Popular,
  version: number,
  ctx: Context,
): Promise<Missing[]> {
  const gathered = await gather(people, popular, ctx);
  const candidates = new Map(gathered.candidates.map((candidate) => [candidate.id, candidate]));
  const most = Math.max(...popular.practices.map((practice) => practice.score), FEW);
  const popularity = new Map(popular.practices.map(({ id, score: sum }) => [id, sum / most]));
  await Promise.all(
    people.map((person) => {
      const cards = rank(person, candidates, popularity, gathered, popular.drawn);
      return cacheValue(ctx, cardsKey(person.externalId), version, { cards }, TTL_SECONDS);
    }),
  );
  return gathered.missing;
}
