/** Recommendations as they cross HTTP. */
import { Type, type Static } from 'typebox';
import { REASONS } from '../../jobs/recommendations/score.ts';
import { UUID_PATTERN } from '../http/schemas.ts';

/** `tags=a&tags=b`, `tags[]=a&tags[]=b` and `tags=a,b` are the same. */
const Words = Type.Optional(
  Type.Union([Type.String({ maxLength: 4000 }), Type.Array(Type.String(), { maxItems: 200 })], {
    description: 'Repeated, or separated by commas.',
  }),
);

const queryOf = (defaultLimit: number) =>
  Type.Object(
    {
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 50, description: `Default ${defaultLimit}.` }),
      ),
      cursor: Type.Optional(
        Type.String({ maxLength: 200, description: 'What the page before said comes next.' }),
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

/** The words of a query under either name. */
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
      description: 'Whether they were chosen for the user, or are what many look at.',
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
  isAiGenerated: Type.Boolean({ description: 'Whether it was chosen for this user.' }),
});

export const TopicCardsBody = Type.Array(TopicCard, { description: 'Best first.' });

export const VerdictParams = Type.Object({
  practiceId: Type.String({ pattern: UUID_PATTERN, description: 'External id of a practice.' }),
});

/** Checked by the route: another verdict is told apart from a body that is none. */
export const VerdictRequest = Type.Object(
  { feedbackType: Type.String({ description: 'like or dislike; the same again takes it back.' }) },
  { additionalProperties: false, examples: [{ feedbackType: 'like' }] },
);

export const VerdictBody = Type.Object({
  practiceId: Type.String(),
  feedbackState: Type.Enum(['liked', 'disliked', 'neutral'], { type: 'string' }),
});
