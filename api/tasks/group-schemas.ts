/** Schemas of groups of tasks. */
import { Type } from 'typebox';
import { EXAMPLE_TASK, Instant, Nullable, Uuid } from '../http/schemas.ts';
import { TaskStatus } from './schemas.ts';

const EXAMPLE_GROUP = '7d0c1f5e-2a51-4a0e-9a51-6f3c5a1f0c11';

export const GroupParams = Type.Object({ id: Uuid('Id of a group.', EXAMPLE_GROUP) });

export const AcceptedGroupBody = Type.Object(
  {
    group_id: Type.String(),
    tasks: Type.Integer({ description: 'Number of tasks.' }),
    status_url: Type.String(),
  },
  {
    description: 'The group is stored; follow it at status_url.',
    examples: [{ group_id: EXAMPLE_GROUP, tasks: 2, status_url: `/groups/${EXAMPLE_GROUP}` }],
  },
);

const Count = Type.Integer({ minimum: 0 });

export const GroupBody = Type.Object(
  {
    group_id: Type.String(),
    status: Type.Enum(['running', 'done', 'error', 'revoked'], { type: 'string' }),
    counts: Type.Object(
      {
        waiting: Count,
        queued: Count,
        running: Count,
        done: Count,
        error: Count,
        revoked: Count,
      },
      { description: 'How many of its tasks have each status.' },
    ),
    tasks: Type.Array(
      Type.Object({
        task_id: Type.String(),
        name: Type.String(),
        status: TaskStatus,
        subject: Nullable(Type.String({ description: 'What it is about, such as a practice.' })),
      }),
      { maxItems: 1000, description: 'In order; of a larger group the first 1,000.' },
    ),
    result: Type.Unknown({
      description:
        'The results so far, in order, at most 1 MiB as they are stored, else null; null in place of what has not succeeded.',
    }),
    error: Nullable(
      Type.Object(
        { code: Type.String(), message: Type.String() },
        {
          description: 'Of the task that failed first; null unless the status is error or revoked.',
        },
      ),
    ),
    created_at: Instant('When it was accepted.'),
    finished_at: Nullable(Instant('When its last task ended.')),
  },
  {
    description: 'A group of tasks as its owner sees it.',
    examples: [
      {
        group_id: EXAMPLE_GROUP,
        status: 'running',
        counts: { waiting: 0, queued: 0, running: 1, done: 1, error: 0, revoked: 0 },
        tasks: [
          { task_id: EXAMPLE_TASK, name: 'generate_ai_feedback', status: 'running', subject: null },
        ],
        result: [null],
        error: null,
        created_at: '2026-03-01T02:00:00.000Z',
        finished_at: null,
      },
    ],
  },
);
