/**
 * The shapes that cross HTTP: what is validated on the way in, and what `/openapi.json` shows.
 */
import { Type, type TSchema } from 'typebox';
import { ERRORS, type ErrorCode } from '../../base/errors.ts';
import { MAX_WAIT_SECONDS } from './timeouts.ts';

/** Any version, either case. */
export const UUID_PATTERN =
  '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

const VISIBLE_ASCII_PATTERN = '^[\\x21-\\x7e]*$';

/** What a value that does not match one of our patterns is told. */
export const PATTERN_PROBLEMS: Record<string, string> = {
  [UUID_PATTERN]: 'must be a UUID',
  [VISIBLE_ASCII_PATTERN]: 'must be visible ASCII characters without blanks',
};

const EXAMPLE_PRACTICE = '5f0c2f0e-6b7a-4d51-9f2c-2f7d1c9a4e11';
const EXAMPLE_TASK = '8a1d4c52-0f3e-4b7c-9a66-0d2b5e7f9c30';

const Uuid = (description: string, example: string) =>
  Type.String({ pattern: UUID_PATTERN, description, examples: [example] });

const Instant = (description: string) => Type.String({ format: 'date-time', description });

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Locale = (description: string) => Type.Enum(['zh-TW', 'en'], { type: 'string', description });

export const PracticeParams = Type.Object({
  id: Uuid('External id of a practice.', EXAMPLE_PRACTICE),
});

export const TaskParams = Type.Object({ id: Uuid('Id of a task.', EXAMPLE_TASK) });

export const TaskQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: MAX_WAIT_SECONDS,
        description: 'Seconds to wait for the task to finish before answering. Default 0.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const FeedbackRequest = Type.Object(
  {
    locale: Type.Optional(Locale("Language of the feedback. Default: the owner's preferred one.")),
  },
  { additionalProperties: false, examples: [{ locale: 'zh-TW' }] },
);

export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: VISIBLE_ASCII_PATTERN,
      description: 'Visible ASCII. The same key within 24 hours gets the same task.',
    }),
  ),
});

export const TaskStatus = Type.Enum(['queued', 'running', 'done', 'error', 'revoked'], {
  type: 'string',
});

export const AcceptedBody = Type.Object(
  { task_id: Type.String(), status: TaskStatus, status_url: Type.String() },
  {
    description: 'The work is stored and under way; follow it at status_url.',
    examples: [{ task_id: EXAMPLE_TASK, status: 'queued', status_url: `/tasks/${EXAMPLE_TASK}` }],
  },
);

export const TaskBody = Type.Object(
  {
    task_id: Type.String(),
    name: Type.String(),
    status: TaskStatus,
    state: Nullable(
      Type.String({ description: 'Exact state in the queue; null while that is unknown.' }),
    ),
    attempts: Type.Integer({ description: 'Attempts that have ended.' }),
    progress: Nullable(
      Type.Object({
        value: Type.Number({ minimum: 0, maximum: 1 }),
        note: Nullable(Type.String()),
      }),
    ),
    result: Type.Unknown({ description: 'What the task returned; null until it is done.' }),
    error: Nullable(
      Type.Object(
        { code: Type.String(), message: Type.String() },
        { description: 'Why it failed; null unless the status is error.' },
      ),
    ),
    created_at: Instant('When it was accepted.'),
    started_at: Nullable(Instant('When its first attempt began.')),
    finished_at: Nullable(Instant('When it reached its final status.')),
  },
  {
    description: 'A task as its owner sees it.',
    examples: [
      {
        task_id: EXAMPLE_TASK,
        name: 'generate_ai_feedback',
        status: 'running',
        state: 'active',
        attempts: 0,
        progress: { value: 0.3, note: null },
        result: null,
        error: null,
        created_at: '2026-03-01T02:00:00.000Z',
        started_at: '2026-03-01T02:00:00.120Z',
        finished_at: null,
      },
    ],
  },
);

export const FeedbackBody = Type.Object(
  {
    practice_id: Type.String(),
    text: Type.String({ description: 'Three paragraphs separated by a blank line, no Markdown.' }),
    sections: Type.Object({
      breakthrough: Type.String(),
      rhythm: Type.String(),
      insight: Type.String(),
    }),
    locale: Locale('Language of the text.'),
    provider: Type.String({ description: 'Who wrote it; offline is the local coach.' }),
    model: Type.String(),
    task_id: Type.String(),
    version: Type.Integer({ description: 'Grows by one with every new text of a practice.' }),
    created_at: Instant('When it was stored.'),
  },
  {
    description: 'The newest feedback of a practice.',
    examples: [
      {
        practice_id: EXAMPLE_PRACTICE,
        text: 'You began with one page.\nEvenings suited you.\nAsk what the quiet hour gives you.',
        sections: {
          breakthrough: 'You began with one page.',
          rhythm: 'Evenings suited you.',
          insight: 'Ask what the quiet hour gives you.',
        },
        locale: 'en',
        provider: 'offline',
        model: 'offline-coach',
        task_id: EXAMPLE_TASK,
        version: 1,
        created_at: '2026-03-01T02:00:12.000Z',
      },
    ],
  },
);

export const HealthBody = Type.Object(
  { status: Type.Enum(['ok', 'stuck'], { type: 'string' }) },
  {
    description: 'stuck: its work has stopped though its stores answer. Restart it.',
    examples: [{ status: 'ok' }],
  },
);

export const ReadyBody = Type.Object(
  {
    status: Type.Enum(['ready', 'unavailable'], { type: 'string' }),
    dependencies: Type.Record(Type.String(), Type.String(), {
      description: 'ok, or a word for what is wrong.',
    }),
    backlog: Type.Optional(
      Type.Object(
        { tasks: Type.Integer(), oldest_ms: Type.Integer(), full: Type.Boolean() },
        {
          description:
            'Tasks that are due and have not begun, and since when; once it is full no more are accepted.',
        },
      ),
    ),
  },
  {
    description: 'Whether every needed dependency answers.',
    examples: [{ status: 'ready', dependencies: { postgres: 'ok', redis: 'ok' } }],
  },
);

/** The answers of these errors, one schema per status. */
export function errorResponses(...codes: ErrorCode[]): Record<string, TSchema> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [String(status), errorBodySchema(same)]),
  );
}

function errorBodySchema(codes: readonly ErrorCode[]): TSchema {
  return Type.Object(
    {
      error: Type.Object({
        code: Type.String({ description: codes.join(', ') }),
        message: Type.String({ description: 'A sentence for people.' }),
        details: Type.Optional(Type.Unknown()),
        request_id: Type.String({ description: 'Also in the x-request-id header.' }),
      }),
    },
    {
      description: codes.map((code) => `${code}: ${ERRORS[code].message}`).join(' '),
      examples: codes.map((code) => ({
        error: { code, message: ERRORS[code].message, request_id: 'req-1' },
      })),
    },
  );
}
