/** Schemas of recommendations. */
import { Type, type Static } from 'typebox';
import { AppError } from '../../base/errors.ts';
import { CARD_TAGS } from '../../db/daodao/cards.ts';
import { REASONS } from '../../jobs/recommendations/score.ts';
import { Nullable, UUID_PATTERN } from '../http/schemas.ts';

/** Cards per page. */
const MAX_LIMIT = 50;

const WORDS_LENGTH = 4000;
const MAX_WORDS = 200;

/** `tags=a&tags=b`, `tags[]=a&tags[]=b` and `tags=a,b` are equivalent. */
const Words = Type.Optional(
  Type.Union(
    [
      Type.String({ maxLength: WORDS_LENGTH }),
      Type.Array(Type.String({ maxLength: WORDS_LENGTH }), { maxItems: MAX_WORDS }),
    ],
    { description: `Repeated or comma-separated; at most ${MAX_WORDS} in all.` },
  ),
);

const queryOf = (defaultLimit: number) =>
  Type.Object(
    {
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `Default ${defaultLimit}.` }),
      ),
      cursor: Type.Optional(
        Type.String({ maxLength: 200, description: 'The next_cursor of the previous page.' }),
      ),
      tags: Words,
      'tags[]': Words,
      exclude_ids: Words,
      'exclude_ids[]': Words,
    },
    { additionalProperties: false },
  );

export const DEFAULT_LIMIT = { recommendations: 20, topicCards: 3 };

export const RecommendationsQuery = queryOf(DEFAULT_LIMIT.recommendations);
export const TopicCardsQuery = queryOf(DEFAULT_LIMIT.topicCards);

/** @throws {AppError} `REQUEST_INVALID` when there are too many. */
export function wordsOf(
  query: Static<typeof RecommendationsQuery>,
  name: 'tags' | 'exclude_ids',
): string[] {
  const words = [query[name] ?? [], query[`${name}[]`] ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length > MAX_WORDS) {
    throw new AppError('REQUEST_INVALID', {
      message: `${name} (query) must have at most ${MAX_WORDS} words.`,
    });
  }
  return words;
}

const Reason = Type.Enum([...REASONS], { type: 'string', description: 'The strongest reason.' });
const ReasonText = Type.String({ description: "A sentence in the user's language." });
const Tags = Type.Array(Type.String(), { maxItems: CARD_TAGS });
const NullableText = Nullable(Type.String());

export const RecommendationsBody = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        practice_id: Type.String(),
        title: Type.String(),
        description: NullableText,
        creator: Type.Object({ id: Type.String(), name: NullableText }),
        tags: Tags,
        reason: Reason,
        reason_text: ReasonText,
        liked: Type.Boolean(),
      }),
      { maxItems: MAX_LIMIT },
    ),
    next_cursor: NullableText,
    source: Type.Enum(['personal', 'popular'], {
      type: 'string',
      description: 'personal: chosen for the user; popular: viewed by many users.',
    }),
  },
  { description: 'Practices of others, best first.' },
);

export const TopicCard = Type.Object({
  practiceId: Type.String(),
  targetId: Type.Integer(),
  title: Type.String(),
  description: NullableText,
  creator: Type.Object({ id: Type.String(), name: NullableText, photo_url: NullableText }),
  tags: Tags,
  matchReasonCode: Reason,
  matchReasonText: ReasonText,
  feedbackState: Type.Enum(['liked', 'disliked', 'neutral'], { type: 'string' }),
  isAiGenerated: Type.Boolean({ description: 'Whether the card was chosen for this user.' }),
});

export const TopicCardsBody = Type.Array(TopicCard, {
  maxItems: MAX_LIMIT,
  description: 'Best first.',
});

export const VerdictParams = Type.Object({
  practiceId: Type.String({ pattern: UUID_PATTERN, description: 'External id of a practice.' }),
});

/** The route validates the verdict, to answer a wrong one with its own code. */
export const VerdictRequest = Type.Object(
  {
    feedbackType: Type.String({
      maxLength: 64,
      description: 'like or dislike; repeating a verdict withdraws it.',
    }),
  },
  { additionalProperties: false, examples: [{ feedbackType: 'like' }] },
);

export const VerdictBody = Type.Object({
  practiceId: Type.String(),
  feedbackState: Type.Enum(['liked', 'disliked', 'neutral'], { type: 'string' }),
});
