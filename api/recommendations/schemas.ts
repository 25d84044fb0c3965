/** Schemas of recommendations. */
import { Type, type Static } from 'typebox';
import { REASONS } from '../../jobs/recommendations/score.ts';
import { UUID_PATTERN } from '../http/schemas.ts';

/** `tags=a&tags=b`, `tags[]=a&tags[]=b` and `tags=a,b` are equivalent. */
const Words = Type.Optional(
  Type.Union([Type.String({ maxLength: 4000 }), Type.Array(Type.String(), { maxItems: 200 })], {
    description: 'Repeated or comma-separated.',
  }),
);

const queryOf = (defaultLimit: number) =>
  Type.Object(
    {
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 50, description: `Default ${defaultLimit}.` }),
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

export function wordsOf(
  query: Static<typeof RecommendationsQuery>,
  name: 'tags' | 'exclude_ids',
): string[] {
  return [query[name] ?? [], query[`${name}[]`] ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

const Reason = Type.Enum([...REASONS], { type: 'string', description: 'The strongest reason.' });
const ReasonText = Type.String({ description: "A sentence in the user's language." });
const Nullable = Type.Union([Type.String(), Type.Null()]);

export const RecommendationsBody = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        practice_id: Type.String(),
        title: Type.String(),
        description: Nullable,
        creator: Type.Object({ id: Type.String(), name: Nullable }),
        tags: Type.Array(Type.String()),
        reason: Reason,
        reason_text: ReasonText,
        liked: Type.Boolean(),
      }),
    ),
    next_cursor: Nullable,
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
  description: Nullable,
  creator: Type.Object({ id: Type.String(), name: Nullable, photo_url: Nullable }),
  tags: Type.Array(Type.String()),
  matchReasonCode: Reason,
  matchReasonText: ReasonText,
  feedbackState: Type.Enum(['liked', 'disliked', 'neutral'], { type: 'string' }),
  isAiGenerated: Type.Boolean({ description: 'Whether the card was chosen for this user.' }),
});

export const TopicCardsBody = Type.Array(TopicCard, { description: 'Best first.' });

export const VerdictParams = Type.Object({
  practiceId: Type.String({ pattern: UUID_PATTERN, description: 'External id of a practice.' }),
});

/** The route validates the verdict, to answer a wrong one with its own code. */
export const VerdictRequest = Type.Object(
  {
    feedbackType: Type.String({
      description: 'like or dislike; repeating a verdict withdraws it.',
    }),
  },
  { additionalProperties: false, examples: [{ feedbackType: 'like' }] },
);

export const VerdictBody = Type.Object({
  practiceId: Type.String(),
  feedbackState: Type.Enum(['liked', 'disliked', 'neutral'], { type: 'string' }),
});
