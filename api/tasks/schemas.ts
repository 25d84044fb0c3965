/** Schemas of tasks. */
import { Type } from 'typebox';
import { EXAMPLE_TASK, Instant, Nullable, Uuid, VISIBLE_ASCII_PATTERN } from '../http/schemas.ts';
import { MAX_WAIT_SECONDS } from '../http/timeouts.ts';

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

export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: VISIBLE_ASCII_PATTERN,
      description: 'Visible ASCII. Repeating a key within 24 hours returns the same task or group.',
    }),
  ),
});

export const TaskStatus = Type.Enum(['waiting', 'queued', 'running', 'done', 'error', 'revoked'], {
  type: 'string',
});

export const AcceptedBody = Type.Object(
  { task_id: Type.String(), status: TaskStatus, status_url: Type.String() },
  {
    description: 'The task is stored; follow it at status_url.',
    examples: [{ task_id: EXAMPLE_TASK, status: 'queued', status_url: `/tasks/${EXAMPLE_TASK}` }],
  },
);

export const TaskBody = Type.Object(
  {
    task_id: Type.String(),
    name: Type.String(),
    status: TaskStatus,
    state: Nullable(Type.String({ description: 'Exact state in the queue; null when unknown.' })),
    attempts: Type.Integer({ description: 'Attempts that have ended.' }),
    progress: Nullable(
      Type.Object(
        { value: Type.Number({ minimum: 0, maximum: 1 }), note: Nullable(Type.String()) },
        { description: 'null when unknown, and once it has ended.' },
      ),
    ),
    result: Type.Unknown({
      description: 'What the task returned, at most 1 MiB of JSON text; null until it is done.',
    }),
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
