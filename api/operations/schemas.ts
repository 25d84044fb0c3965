/** The shapes of health and readiness over HTTP. */
import { Type } from 'typebox';

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
