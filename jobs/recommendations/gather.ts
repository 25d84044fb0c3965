/** Gathers what is known about users and their candidate practices. Skips unavailable stores and reports them. */
import { Type, type Static } from 'typebox';
import type { Engagement, Popularity } from '../../db/daodao/behaviour.ts';
import {
  drawForToday,
  findCandidates,
  findLively,
  findTagged,
  type Candidate,
  type Learner,
} from '../../db/daodao/recommendation-sources.ts';
import type { PracticeSearch, VectorHit } from '../../db/daodao/vector-index.ts';
import { findVerdicts, type Verdicts } from '../../db/daodao/likes.ts';
import type { Context } from '../define.ts';
import { MOST_CARDS } from './cards.ts';

/** Optional stores: recommendations work without them. */
export const Missing = Type.Enum(['vectors', 'events'], { type: 'string' });
export type Missing = Static<typeof Missing>;

/** Popular practices considered for every user. */
export const MOST_POPULAR = 150;

interface Ranked {
  practices: Popularity[];
  missing: Missing[];
}

export interface Popular extends Ranked {
  /** What was drawn from all practices, whatever the signals say, and the day it was drawn for. */
  drawn: { day: string; ids: string[] };
}

/** All of them may be shown. */
export async function gatherPopular(ctx: Context): Promise<Popular> {
  return { ...(await rankPopular(ctx)), drawn: await drawForToday(ctx.db, MOST_CARDS) };
}

/** Viewed practices by popularity, then the liveliest of the others. */
async function rankPopular(ctx: Context): Promise<Ranked> {
  try {
    const seen = await findSeen(ctx);
    if (seen.length === MOST_POPULAR) return { practices: seen, missing: [] };
    const lively = await findLively(ctx.db, MOST_POPULAR);
    // Without any views, liveliness gives the score.
    if (seen.length === 0) return { practices: lively, missing: [] };
    const ids = new Set(seen.map(({ id }) => id));
    const rest = lively.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id, score: 0 }));
    return { practices: [...seen, ...rest].slice(0, MOST_POPULAR), missing: [] };
  } catch (error) {
    if (!ctx.events.isUnavailable(error)) throw error;
    return { practices: await findLively(ctx.db, MOST_POPULAR), missing: ['events'] };
  }
}

/** Popular practices that may still be shown. */
async function findSeen({ db, events }: Context): Promise<Popularity[]> {
  return events.popular(MOST_POPULAR, async (ids) => {
    const shown = await findCandidates(db, ids);
    return new Set(shown.map(({ id }) => id));
  });
}

/** Cosine similarities by practice id. */
interface Nearness {
  similar: ReadonlyMap<string, number>;
  liked: ReadonlyMap<string, number>;
  disliked: ReadonlyMap<string, number>;
}

export interface Gathered {
  verdicts: ReadonlyMap<string, Verdicts>;
  /** By external id of the user. */
  nearness: ReadonlyMap<string, Nearness>;
  engagement: ReadonlyMap<string, Engagement[]>;
  candidates: readonly Candidate[];
  /** Ids of those found by their tags, in place of vectors. */
  tagged: readonly string[];
  missing: Missing[];
}

export async function gather(
  people: readonly Learner[],
  { practices: popular, drawn }: Popular,
  ctx: Context,
): Promise<Gathered> {
  const ids = people.map(({ externalId }) => externalId);
  const missing: Missing[] = [];
  const verdicts = await findVerdicts(ctx.db, ids);
  const engagement = await ctx.events.engagement(ids).catch((error: unknown) => {
    if (!ctx.events.isUnavailable(error)) throw error;
    missing.push('events');
    return [];
  });
  const nearness = await findNear(people, verdicts, ctx).catch((error: unknown) => {
    if (!ctx.vectors.isUnavailable(error)) throw error;
    missing.push('vectors');
    return new Map<string, Nearness>();
  });
  const near = [...nearness.values()].flatMap(({ similar, liked }) => [
    ...similar.keys(),
    ...liked.keys(),
  ]);
  const known = new Set([...near, ...popular.map(({ id }) => id), ...drawn.ids]);
  const tags = new Set(people.flatMap((person) => [...person.tags, ...person.ongoingTags]));
  const isBlind = missing.includes('vectors');
  const tagged = isBlind ? await findTagged(ctx.db, [...tags], MOST_CARDS * 5) : [];
  const found = await findCandidates(
    ctx.db,
    [...known].filter((id) => !tagged.some((candidate) => candidate.id === id)),
  );
  return {
    verdicts,
    nearness,
    engagement: byUser(engagement),
    candidates: [...tagged, ...found],
    tagged: tagged.map(({ id }) => id),
    missing,
  };
}

function byUser(engagement: readonly Engagement[]): Map<string, Engagement[]> {
  const found = new Map<string, Engagement[]>();
  for (const one of engagement) found.set(one.userId, [...(found.get(one.userId) ?? []), one]);
  return found;
}

/** Searches near a user's own vector and near the means of liked and disliked practices; skips those without a vector. */
async function findNear(
  people: readonly Learner[],
  verdicts: ReadonlyMap<string, Verdicts>,
  { vectors }: Context,
): Promise<Map<string, Nearness>> {
  const own = await vectors.vectors(
    'users',
    people.map(({ externalId }) => externalId),
  );
  const judged = new Set(
    [...verdicts.values()].flatMap(({ liked, disliked }) => [...liked, ...disliked]),
  );
  const practices = await vectors.vectors('practices', [...judged]);
  const searches: PracticeSearch[] = [];
  const take: ((hits: readonly VectorHit[]) => void)[] = [];
  const nearness = new Map<string, Nearness>();
  for (const { externalId } of people) {
    const { liked = [], disliked = [] } = verdicts.get(externalId) ?? {};
    const near = {
      similar: new Map<string, number>(),
      liked: new Map<string, number>(),
      disliked: new Map<string, number>(),
    };
    nearness.set(externalId, near);
    const search = (vector: readonly number[] | undefined, into: Map<string, number>): void => {
      if (vector === undefined) return;
      searches.push({ vector, limit: MOST_CARDS, notOwnedBy: externalId, notIds: disliked });
      take.push((hits) => hits.forEach(({ id, score }) => into.set(id, Math.max(0, score))));
    };
    search(own.get(externalId), near.similar);
    search(mean(liked, practices), near.liked);
    search(mean(disliked, practices), near.disliked);
  }
  const answers = await vectors.searchPractices(searches);
  answers.forEach((hits, index) => take[index]!(hits));
  return nearness;
}

/** Component-wise mean; undefined when no id has a vector. */
function mean(
  ids: readonly string[],
  vectors: ReadonlyMap<string, readonly number[]>,
): number[] | undefined {
  const found = ids.flatMap((id) => {
    const vector = vectors.get(id);
    return vector === undefined ? [] : [vector];
  });
  if (found.length === 0) return undefined;
  return found[0]!.map((_, i) => found.reduce((sum, vector) => sum + vector[i]!, 0) / found.length);
}
