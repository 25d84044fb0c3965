/** Schemas of behaviour events. */
import { Type } from 'typebox';
import { UUID_PATTERN } from '../http/schemas.ts';

/** Maximum events of a request; the rest are rejected. */
export const MAX_EVENTS = 500;

/** Bytes; fits 500 events with every text at its maximum length, in any script. */
export const MAX_EVENTS_BYTES = 2 * 1024 * 1024;

const EVENT_TYPES = [
  'page_view',
  'practice_start',
  'practice_complete',
  'goal_interaction',
  'social_action',
  'content_view',
  'read_progress',
  'time_spent',
  'impression',
  'card_click',
  'like',
  'dislike',
  'check_in',
  'share',
  'comment',
];
const ENTITY_TYPES = ['practice', 'user', 'goal', 'resource', 'comment', 'page'];
export const MATCH_REASONS = [
  'ongoing_practice',
  'tag_match',
  'professional_field',
  'popular_content',
] as const;

const DAY_MS = 86_400_000;

const EventId = Type.String({
  pattern: UUID_PATTERN,
  description: 'Chosen by the client. A repeated id is stored once.',
});
const EntityType = Type.Enum(ENTITY_TYPES, { type: 'string' });
const EntityId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'For a practice or a user, its external id, a UUID.',
});
const Page = Type.String({ maxLength: 512 });
const Duration = Type.Integer({ minimum: 0, maximum: DAY_MS, description: 'Milliseconds.' });

export const EventItem = Type.Object(
  {
    event_id: EventId,
    event_type: Type.Enum(EVENT_TYPES, { type: 'string' }),
    entity_type: EntityType,
    entity_id: EntityId,
    page: Type.Optional(Page),
    duration_ms: Type.Optional(Duration),
    value: Type.Optional(
      Type.Number({
        minimum: -1e9,
        maximum: 1e9,
        description: 'Required for `read_progress`: per cent read, 0 to 100.',
      }),
    ),
    match_reason: Type.Optional(Type.Enum([...MATCH_REASONS], { type: 'string' })),
    occurred_at: Type.String({
      format: 'date-time',
      maxLength: 64,
      description:
        'At most 48 hours in the past and 5 minutes in the future, to tolerate clock skew.',
    }),
  },
  { additionalProperties: false },
);

const EXAMPLE = {
  event_id: '0b2f6f1e-52a4-4f0c-9d5b-6a1f0f4f7c11',
  event_type: 'content_view',
  entity_type: 'practice',
  entity_id: '5f0c2f0e-6b7a-4d51-9f2c-2f7d1c9a4e11',
  page: '/practices/5f0c2f0e',
  occurred_at: '2026-03-01T02:00:00.000Z',
};

/** The schema in the API description. */
export const EventsRequest = Type.Object(
  {
    events: Type.Array(EventItem, {
      minItems: 1,
      maxItems: MAX_EVENTS,
      description:
        'Each event is validated separately. Events after the 500th are rejected. ' +
        'A repeated event is accepted and stored once.',
    }),
  },
  { additionalProperties: false, examples: [{ events: [EXAMPLE] }] },
);

/** Validates only the batch; each event is validated separately, so that one invalid or surplus event affects no other. */
export const EventsChecked = Type.Object(
  { events: Type.Array(Type.Unknown(), { minItems: 1 }) },
  { additionalProperties: false },
);

const about = { event_id: Type.Optional(EventId), entity_type: EntityType, entity_id: EntityId };

export const ViewRequest = Type.Object(
  { ...about, page: Type.Optional(Page) },
  { additionalProperties: false },
);
export const ProgressRequest = Type.Object(
  { ...about, value: Type.Number({ minimum: 0, maximum: 100, description: 'Per cent read.' }) },
  { additionalProperties: false },
);
export const TimeSpentRequest = Type.Object(
  { ...about, duration_ms: Duration },
  { additionalProperties: false },
);

export const EventsBody = Type.Object(
  {
    accepted: Type.Integer({
      description: 'Events stored, by this or an earlier request.',
    }),
    rejected: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'Index in the request, from 0.' }),
        code: Type.String(),
        message: Type.String(),
      }),
      { maxItems: MAX_EVENTS, description: 'The first of the rejected events.' },
    ),
    rejected_count: Type.Optional(
      Type.Integer({ description: 'Number of rejected events, when more than are listed.' }),
    ),
  },
  {
    description: 'The number of accepted events, and the rejected ones.',
    examples: [{ accepted: 1, rejected: [] }],
  },
);
