import type { Candidate, Learner } from '../../db/daodao/recommendation-sources.ts';
import { MOST_CARDS, type RankedCard } from './cards.ts';
import type { Gathered } from './gather.ts';
import { byScore, NO_SIGNALS, score, type Scored, type Signals } from './score.ts';

/** Ranks a learner's candidates by score, keeps the best. @param popularity by practice, 0 to 1, relative to the most popular. */
export function rank(
  person: Learner,
  candidates: ReadonlyMap<string, Candidate>,
  popularity: ReadonlyMap<string, number>,
  { verdicts, nearness, engagement, missing }: Gathered,
): RankedCard[] {
  const { externalId } = person;
  const near = nearness.get(externalId);
  const disliked = new Set(verdicts.get(externalId)?.disliked);
  const liked = new Set(verdicts.get(externalId)?.liked);
  const engaged = engagement.get(externalId) ?? [];
  const most = Math.max(...engaged.map(({ weight }) => weight), 1);
  const weights = new Map(engaged.map(({ practiceId, weight }) => [practiceId, weight / most]));
  // Without vectors, candidates come from the tags of the page; all may fit.
  const ids = missing.includes('vectors')
    ? candidates.keys()
    : new Set([
        ...popularity.keys(),
        ...(near?.similar.keys() ?? []),
        ...(near?.liked.keys() ?? []),
      ]);
  const scored: Scored[] = [];
  for (const id of ids) {
    const candidate = candidates.get(id);
    if (candidate === undefined || candidate.ownerId === externalId || disliked.has(id)) continue;
    const signals: Signals = {
      ...NO_SIGNALS,
      similarity: near?.similar.get(id) ?? 0,
      // A liked practice raises its neighbours, not itself.
      liked: liked.has(id) ? 0 : (near?.liked.get(id) ?? 0),
      disliked: near?.disliked.get(id) ?? 0,
      engagement: weights.get(id) ?? 0,
      popularity: popularity.get(id) ?? 0,
    };
    scored.push(score(person, candidate, signals));
  }
  return scored.toSorted(byScore).slice(0, MOST_CARDS).map(toCard);
}

function toCard({ id, reason, shared }: Scored): RankedCard {
  return shared === undefined ? { id, reason } : { id, reason, shared };
}
