/** Scores how well another user's practice fits a learner, and picks the reason to show. Deterministic. */
import type { Candidate, Learner } from '../../db/daodao/recommendation-sources.ts';

export const REASONS = [
  'ongoing_practice',
  'tag_match',
  'professional_field',
  'popular_content',
] as const;
export type Reason = (typeof REASONS)[number];

/** Inputs besides the rows; 0 when unknown. */
export interface Signals {
  /** Cosine similarity to the learner, 0 to 1; negative values count as 0. */
  similarity: number;
  /** Likewise, to the practices the learner liked and disliked. */
  liked: number;
  disliked: number;
  /** The learner's recent activity on the practice, 0 to 1. */
  engagement: number;
  /** Relative to the most popular practice, 0 to 1. */
  popularity: number;
}

export const NO_SIGNALS: Signals = {
  similarity: 0,
  liked: 0,
  disliked: 0,
  engagement: 0,
  popularity: 0,
};

const WEIGHTS = {
  similarity: 1,
  liked: 0.4,
  disliked: -0.6,
  engagement: 0.2,
  ongoing_practice: 0.5,
  tag_match: 0.45,
  professional_field: 0.3,
  popular_content: 0.25,
};

export interface Scored {
  id: string;
  score: number;
  reason: Reason;
  /** What learner and practice have in common; quoted in the reason. */
  shared: string | undefined;
}

export function score(person: Learner, candidate: Candidate, signals: Signals): Scored {
  const ongoing = shared(person.ongoingTags, candidate.tags);
  const tags = shared(person.tags, candidate.tags);
  const fields = shared(person.professionalField, candidate.ownerField);
  const parts: Record<Reason, number> = {
    ongoing_practice: WEIGHTS.ongoing_practice * share(ongoing),
    tag_match: WEIGHTS.tag_match * share(tags),
    professional_field: WEIGHTS.professional_field * share(fields),
    popular_content: WEIGHTS.popular_content * signals.popularity,
  };
  // The largest part wins, ties go by the order of REASONS, and without any positive part the reason is popularity.
  const strongest = REASONS.reduce((best, reason) => (parts[reason] > parts[best] ? reason : best));
  const reason = parts[strongest] > 0 ? strongest : 'popular_content';
  const common = { ongoing_practice: ongoing, tag_match: tags, professional_field: fields };
  const { similarity, liked, disliked, engagement } = signals;
  return {
    id: candidate.id,
    score:
      WEIGHTS.similarity * similarity +
      WEIGHTS.liked * liked +
      WEIGHTS.disliked * disliked +
      WEIGHTS.engagement * engagement +
      Object.values(parts).reduce((sum, part) => sum + part),
    reason,
    shared: reason === 'popular_content' ? undefined : common[reason][0],
  };
}

/** Descending by score, then ascending by id. */
export function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || (a.id < b.id ? -1 : 1);
}

/** Common words, ignoring case, in the order of `mine`. */
function shared(mine: readonly string[], theirs: readonly string[]): string[] {
  const known = new Set(theirs.map(fold));
  return mine.filter((word) => known.has(fold(word)));
}

function fold(word: string): string {
  return word.normalize('NFKC').trim().toLowerCase();
}

/** Diminishing returns: 0, 0.5, 0.75, ... */
function share(words: readonly string[]): number {
  return 1 - 0.5 ** words.length;
}
