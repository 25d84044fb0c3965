/** Schemas of health and readiness. */
import { Type } from 'typebox';

/** Stores and loops that a process may depend on. */
export const MAX_DEPENDENCIES = 16;

export const HealthBody = Type.Object(
  { status: Type.Enum(['ok', 'stuck'], { type: 'string' }) },
  {
    description: 'stuck: the process makes no progress although its stores answer. Restart it.',
    examples: [{ status: 'ok' }],
  },
);

export const ReadyBody = Type.Object(
  {
    status: Type.Enum(['ready', 'unavailable'], { type: 'string' }),
    dependencies: Type.Record(Type.String(), Type.String(), {
      maxProperties: MAX_DEPENDENCIES,
      description: 'ok, timeout, failed, or an error code such as ECONNREFUSED.',
    }),
    backlog: Type.Optional(
      Type.Object(
        { tasks: Type.Integer(), oldest_ms: Type.Integer(), full: Type.Boolean() },
        {
          description:
            'Overdue tasks and the age of the oldest; while full, the API accepts no more.',
        },
      ),
    ),
  },
  {
    description: 'Whether every required dependency answers.',
    examples: [{ status: 'ready', dependencies: { postgres: 'ok', redis: 'ok' } }],
  },
);
