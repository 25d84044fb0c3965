/**
 * How well a practice of somebody else fits a person, and the one reason that is told for it. Deterministic.
 */
import type { Candidate, Learner } from '../../db/daodao/recommendation-sources.ts';

export const REASONS = [
  'ongoing_practice',
  'tag_match',
  'professional_field',
  'popular_content',
] as const;
export type Reason = (typeof REASONS)[number];

/** What is known of a person and a candidate besides their rows; what is not known is 0. */
export interface Signals {
  /** Cosine similarity to the person, 0 to 1: what is unlike counts as unrelated. */
  similarity: number;
  /** Likewise to what the person liked and disliked. */
  liked: number;
  disliked: number;
  /** How much the person has had to do with it lately, 0 to 1. */
  engagement: number;
  /** Compared with the most popular one, 0 to 1. */
  popularity: number;
}

export const NO_SIGNALS: Signals = {
  similarity: 0,
  liked: 0,
  disliked: 0,
  engagement: 0,
  popularity: 0,
};

/** How much each part counts. */
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
  /** What of the person it shares, for the reason's sentence. */
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
  // The strongest part; the first of REASONS among equals. Nothing at all in common is popular at best.
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

/** The best first; equal ones by id. */
export function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || (a.id < b.id ? -1 : 1);
}

/** What both have, in the order of the first, whatever the case. */
function shared(mine: readonly string[], theirs: readonly string[]): string[] {
  const known = new Set(theirs.map(fold));
  return mine.filter((word) => known.has(fold(word)));
}

function fold(word: string): string {
  return word.normalize('NFKC').trim().toLowerCase();
}

/** One thing in common is much, a third one adds little: 0, 0.5, 0.75, ... */
function share(words: readonly string[]): number {
  return 1 - 0.5 ** words.length;
}
