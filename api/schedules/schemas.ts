/** Schemas of schedules. */
import { Type } from 'typebox';
import { CHANGES_SHOWN, MAX_SCHEDULES, SHOWN } from '../../jobs/framework/beat/book.ts';
import { MAX_EVERY_MS, MIN_EVERY_MS } from '../../jobs/framework/beat/timetable.ts';
import { Instant, Nullable } from '../http/schemas.ts';
import { TaskStatus } from '../tasks/schemas.ts';

const MAX_PREVIEW = 100;

const CRON = {
  maxLength: 200,
  description:
    'Minute, hour, day of the month, month, day of the week; six fields begin with the second.',
  examples: ['30 2 * * MON-FRI'],
};
const EVERY_MS = {
  minimum: MIN_EVERY_MS,
  maximum: MAX_EVERY_MS,
  description: 'Milliseconds between two slots.',
};
const TIMEZONE = { maxLength: 64, description: 'An IANA time zone.', examples: ['Asia/Taipei'] };

export const ScheduleParams = Type.Object({
  name: Type.String({ maxLength: 64, examples: ['update-embeddings'] }),
});

export const ScheduleEdit = Type.Object(
  {
    enabled: Type.Optional(Nullable(Type.Boolean())),
    cron: Type.Optional(Nullable(Type.String(CRON))),
    every_ms: Type.Optional(Nullable(Type.Integer(EVERY_MS))),
    timezone: Type.Optional(Nullable(Type.String(TIMEZONE))),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'Omitted fields keep their value; null restores the default from the code.',
    examples: [{ enabled: false }, { cron: '30 3 * * *' }],
  },
);

export const PreviewQuery = Type.Object(
  {
    cron: Type.Optional(Type.String(CRON)),
    every_ms: Type.Optional(Type.Integer(EVERY_MS)),
    timezone: Type.Optional(Type.String(TIMEZONE)),
    after: Type.Optional(Instant('Start of the preview. Default: now.')),
    count: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_PREVIEW, description: 'Default 5.' }),
    ),
  },
  { additionalProperties: false },
);

const NextRun = Type.Object({
  at: Instant('In UTC.'),
  local: Instant('Local time in the time zone.'),
  note: Nullable(Type.String({ description: 'Effect of a clock change on this run.' })),
});

export const PreviewBody = Type.Object({
  timezone: Type.String(),
  next_runs: Type.Array(NextRun, { maxItems: MAX_PREVIEW }),
});

const LastRun = Type.Object({
  slot: Instant('When it was due.'),
  fired_at: Instant('When the slot fired or was skipped.'),
  lateness_ms: Type.Integer(),
  outcome: Type.Enum(['fired', 'skipped'], {
    type: 'string',
    description: 'skipped: the task of an earlier slot was unfinished.',
  }),
  asked_by: Nullable(Type.String({ description: 'Author of a manual run.' })),
  missed_since: Nullable(Instant('The first missed slot that this run makes up for.')),
  task_id: Type.String({
    description: 'The started task, or the unfinished earlier one.',
  }),
  status: Nullable(TaskStatus),
  error_code: Nullable(Type.String()),
  finished_at: Nullable(Instant('When the task ended.')),
});

export const ScheduleBody = Type.Object({
  name: Type.String(),
  task: Type.String(),
  cron: Nullable(Type.String()),
  every_ms: Nullable(Type.Integer()),
  timezone: Type.String(),
  start_at: Nullable(Instant('No run is due before.')),
  end_at: Nullable(Instant('No run is due after.')),
  catch_up: Type.Enum(['none', 'latest', 'all'], { type: 'string' }),
  overlap: Type.Enum(['skip', 'allow'], { type: 'string' }),
  jitter_ms: Type.Integer(),
  enabled: Type.Boolean(),
  problem: Nullable(
    Type.String({ description: 'Why it does not fire: an edit is no longer valid.' }),
  ),
  edited: Nullable(
    Type.Object(
      {
        by: Type.String({ description: 'External id of a user, or cli.' }),
        at: Instant('When.'),
        fields: Type.Array(Type.String(), {
          maxItems: 4,
          description: 'Fields that differ from the code.',
        }),
      },
      { description: 'null when nothing has been edited.' },
    ),
  ),
  next_runs: Type.Array(NextRun, {
    maxItems: SHOWN,
    description: 'The next five; none while paused.',
  }),
  last_runs: Type.Array(LastRun, { maxItems: SHOWN, description: 'The last five, newest first.' }),
});

const Edits = Type.Object({
  enabled: Type.Optional(Type.Boolean()),
  cron: Type.Optional(Type.String()),
  every_ms: Type.Optional(Type.Integer()),
  timezone: Type.Optional(Type.String()),
});

export const ScheduleDetailBody = Type.Object({
  ...ScheduleBody.properties,
  changes: Type.Array(
    Type.Object({
      at: Instant('When.'),
      by: Type.String({ description: 'External id of a user, or cli.' }),
      action: Type.Enum(['edited', 'run'], { type: 'string' }),
      from: Nullable(Edits),
      to: Nullable(Edits),
      task_id: Nullable(Type.String({ description: 'The task of a run by hand.' })),
    }),
    { maxItems: CHANGES_SHOWN, description: 'Manual changes, newest first.' },
  ),
});

export const SchedulesBody = Type.Object({
  schedules: Type.Array(ScheduleBody, { maxItems: MAX_SCHEDULES }),
});
