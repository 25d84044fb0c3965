/**
 * When things are done by themselves: to see, to change, and to do now. For admins.
 */
import type { Static } from 'typebox';
import { upcoming, type Upcoming } from '../../jobs/beat/upcoming.ts';
import { DEFAULT_TIMEZONE, Timetable } from '../../jobs/beat/timetable.ts';
import type { ScheduleView } from '../../jobs/beat/book.ts';
import { answerAccepted } from '../accepted.ts';
import { principalOf } from '../auth.ts';
import type { Api, RouteContext } from '../context.ts';
import {
  PreviewBody,
  PreviewQuery,
  ScheduleBody,
  ScheduleEdit,
  ScheduleParams,
  SchedulesBody,
} from '../schedule-schemas.ts';
import { AcceptedBody, errorResponses } from '../schemas.ts';

const PREVIEWED = 5;
const REFUSALS = ['REQUEST_INVALID', 'UNAUTHENTICATED', 'FORBIDDEN', 'STORE_UNAVAILABLE'] as const;

export function scheduleRoutes(app: Api, { schedules }: RouteContext): void {
  const common = { tags: ['schedules'] };

  app.route({
    method: 'GET',
    url: '/schedules',
    config: { admin: true },
    schema: {
      ...common,
      operationId: 'getSchedules',
      summary: 'Read all schedules, with what was and what comes',
      response: { 200: SchedulesBody, ...errorResponses(...REFUSALS) },
    },
    handler: async () => ({ schedules: (await schedules.list()).map(scheduleBody) }),
  });

  app.route({
    method: 'GET',
    url: '/schedules/preview',
    config: { admin: true },
    schema: {
      ...common,
      operationId: 'previewSchedule',
      summary: 'See when an expression would be due',
      querystring: PreviewQuery,
      response: { 200: PreviewBody, ...errorResponses(...REFUSALS, 'SCHEDULE_INVALID') },
    },
    handler: async ({ query }) => {
      const { cron, every_ms: everyMs, timezone, after, count = PREVIEWED } = query;
      const timetable = new Timetable({ cron, everyMs, timezone });
      const next = upcoming(timetable, after === undefined ? new Date() : new Date(after), count);
      return { timezone: timezone ?? DEFAULT_TIMEZONE, next_runs: next.map(nextRun) };
    },
  });

  app.route({
    method: 'PATCH',
    url: '/schedules/:name',
    config: { admin: true },
    schema: {
      ...common,
      operationId: 'editSchedule',
      summary: 'Pause a schedule, or change when it is due',
      description:
        'It holds for what comes, survives restarts, and is written down with who did it.',
      params: ScheduleParams,
      body: ScheduleEdit,
      response: {
        200: ScheduleBody,
        ...errorResponses(...REFUSALS, 'SCHEDULE_NOT_FOUND', 'SCHEDULE_INVALID'),
      },
    },
    handler: async (request) => {
      const { every_ms: everyMs, ...change } = request.body;
      const edit = { ...change, ...(everyMs === undefined ? {} : { everyMs }) };
      const { userId } = principalOf(request);
      return scheduleBody(await schedules.edit(request.params.name, edit, userId));
    },
  });

  app.route({
    method: 'POST',
    url: '/schedules/:name/run',
    config: { admin: true },
    schema: {
      ...common,
      operationId: 'runSchedule',
      summary: 'Do now what a schedule does',
      description: 'When it is due stays as it was; a paused one may be run too.',
      params: ScheduleParams,
      response: {
        202: AcceptedBody,
        ...errorResponses(...REFUSALS, 'SCHEDULE_NOT_FOUND', 'SCHEDULE_RUNNING'),
      },
    },
    handler: async (request, reply) => {
      const id = await schedules.run(request.params.name, principalOf(request).userId);
      return answerAccepted(reply, { id, status: 'queued' });
    },
  });
}

/** As it crosses HTTP and as the CLI prints it. */
export function scheduleBody({
  schedule,
  plan,
  row,
  next,
  past,
}: ScheduleView): Static<typeof ScheduleBody> {
  const { name, call, catchUp, overlap, jitterMs } = schedule;
  const { cron, everyMs, timezone, startAt, endAt } = plan.written;
  return {
    name,
    task: call.task.name,
    cron: cron ?? null,
    every_ms: everyMs ?? null,
    timezone: timezone ?? DEFAULT_TIMEZONE,
    start_at: startAt?.toISOString() ?? null,
    end_at: endAt?.toISOString() ?? null,
    catch_up: catchUp,
    overlap,
    jitter_ms: jitterMs,
    enabled: plan.isEnabled,
    edited:
      row.editedAt === null
        ? null
        : {
            by: row.editedBy ?? '',
            at: row.editedAt.toISOString(),
            fields: Object.keys(row.edits).map((key) => (key === 'everyMs' ? 'every_ms' : key)),
          },
    next_runs: next.map(nextRun),
    last_runs: past.map((run) => ({
      slot: run.slot.toISOString(),
      fired_at: run.firedAt.toISOString(),
      lateness_ms: run.firedAt.getTime() - run.slot.getTime(),
      outcome: run.outcome,
      asked_by: run.askedBy,
      missed_since: run.missedSince?.toISOString() ?? null,
      task_id: run.taskId,
      status: run.status,
      error_code: run.errorCode,
      finished_at: run.finishedAt?.toISOString() ?? null,
    })),
  };
}

function nextRun({ at, local, note }: Upcoming): Static<typeof PreviewBody>['next_runs'][number] {
  return { at: at.toISOString(), local, note };
}
