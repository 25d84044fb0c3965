/** Orders the candidates for one learner by score, and keeps the best and a share of the others. */
import type { Candidate, Learner } from '../../db/daodao/recommendation-sources.ts';
import { MOST_CARDS, type RankedCard } from './cards.ts';
import type { Gathered, Popular } from './gather.ts';
import { keepShare } from './share.ts';
import { byScore, NO_SIGNALS, score, type Scored, type Signals } from './score.ts';

/**
 * @param popularity by practice, 0 to 1, relative to the most popular one.
 * @param drawn practices that get a share of the places though no signal may know of them.
 */
export function rank(
  person: Learner,
  candidates: ReadonlyMap<string, Candidate>,
  popularity: ReadonlyMap<string, number>,
  { verdicts, nearness, engagement, tagged }: Gathered,
  drawn: Popular['drawn'],
): RankedCard[] {
  const { externalId } = person;
  const near = nearness.get(externalId);
  const disliked = new Set(verdicts.get(externalId)?.disliked);
  const liked = new Set(verdicts.get(externalId)?.liked);
  const engaged = engagement.get(externalId) ?? [];
  const most = Math.max(...engaged.map(({ weight }) => weight), 1);
  const weights = new Map(engaged.map(({ practiceId, weight }) => [practiceId, weight / most]));
  const chosen = new Set([
    ...popularity.keys(),
    ...(near?.similar.keys() ?? []),
    ...(near?.liked.keys() ?? []),
    ...tagged,
  ]);
  const scoreOf = (id: string): Scored[] => {
    const candidate = candidates.get(id);
    if (candidate === undefined || candidate.ownerId === externalId || disliked.has(id)) return [];
    const signals: Signals = {
      ...NO_SIGNALS,
      similarity: near?.similar.get(id) ?? 0,
      // A liked practice raises its neighbours, not itself.
      liked: liked.has(id) ? 0 : (near?.liked.get(id) ?? 0),
      disliked: near?.disliked.get(id) ?? 0,
      engagement: weights.get(id) ?? 0,
      popularity: popularity.get(id) ?? 0,
    };
    return [score(person, candidate, signals)];
  };
  const ranked = [...chosen].flatMap(scoreOf).toSorted(byScore);
  const others = drawn.ids.filter((id) => !chosen.has(id)).flatMap(scoreOf);
  return keepShare(ranked, others, MOST_CARDS, `${drawn.day}:${externalId}`).map(toCard);
}

function toCard({ id, reason, shared }: Scored): RankedCard {
  return shared === undefined ? { id, reason } : { id, reason, shared };
}
