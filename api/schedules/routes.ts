/** Routes for admins to list, edit, preview and run schedules. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { upcoming, type Upcoming } from '../../jobs/framework/beat/upcoming.ts';
import { DEFAULT_TIMEZONE, Timetable } from '../../jobs/framework/beat/timetable.ts';
import { SHOWN, type ScheduleBook } from '../../jobs/framework/beat/book.ts';
import { inWordsOf } from '../../jobs/framework/beat/problem.ts';
import { answerAccepted } from '../tasks/accepted.ts';
import { principalOf } from '../http/auth.ts';
import type { Api } from '../http/api.ts';
import { nextRunBody, scheduleBody, scheduleDetailBody } from './bodies.ts';
import {
  PreviewBody,
  PreviewQuery,
  ScheduleBody,
  ScheduleDetailBody,
  ScheduleEdit,
  ScheduleParams,
  SchedulesBody,
} from './schemas.ts';
import { AcceptedBody } from '../tasks/schemas.ts';
import { errorResponses } from '../http/schemas.ts';

const REFUSALS = ['REQUEST_INVALID', 'UNAUTHENTICATED', 'FORBIDDEN', 'STORE_UNAVAILABLE'] as const;
const CHANGE_REFUSALS = [...REFUSALS, 'SCHEDULE_NOT_FOUND', 'ORIGIN_FORBIDDEN'] as const;

/** Slots computed in one turn. */
const TURN = 10;

export function scheduleRoutes(
  app: Api,
  schedules: Pick<ScheduleBook, 'changes' | 'edit' | 'find' | 'list' | 'run'>,
): void {
  const common = { tags: ['schedules'] };

  app.route({
    method: 'GET',
    url: '/schedules',
    config: { admin: true },
    schema: {
      ...common,
      operationId: 'getSchedules',
      summary: 'List schedules with their next and last runs',
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
      summary: 'Preview the next runs of an expression',
      querystring: PreviewQuery,
      response: { 200: PreviewBody, ...errorResponses(...REFUSALS, 'SCHEDULE_INVALID') },
    },
    handler: async ({ query }) => {
      const { cron, every_ms: everyMs, timezone, after, count = SHOWN } = query;
      const timetable = await spelled(async () => new Timetable({ cron, everyMs, timezone }));
      const next = await preview(
        timetable,
        after === undefined ? new Date() : new Date(after),
        count,
      );
      return { timezone: timezone ?? DEFAULT_TIMEZONE, next_runs: next.map(nextRunBody) };
    },
  });

  app.route({
    method: 'GET',
    url: '/schedules/:name',
    config: { admin: true },
    schema: {
      ...common,
      operationId: 'getSchedule',
      summary: 'Read one schedule with its changes',
      params: ScheduleParams,
      response: { 200: ScheduleDetailBody, ...errorResponses(...REFUSALS, 'SCHEDULE_NOT_FOUND') },
    },
    handler: async ({ params: { name } }) =>
      scheduleDetailBody(await schedules.find(name), await schedules.changes(name)),
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
        'The change applies to future runs, survives restarts, and is recorded with its author.',
      params: ScheduleParams,
      body: ScheduleEdit,
      response: {
        200: ScheduleBody,
        ...errorResponses(...CHANGE_REFUSALS, 'SCHEDULE_INVALID'),
      },
    },
    handler: async (request) => {
      const { every_ms: everyMs, ...change } = request.body;
      const edit = { ...change, ...(everyMs === undefined ? {} : { everyMs }) };
      const { userId } = principalOf(request);
      const { name } = request.params;
      return scheduleBody(await spelled(() => schedules.edit(name, edit, userId)));
    },
  });

  app.route({
    method: 'POST',
    url: '/schedules/:name/run',
    config: { admin: true },
    schema: {
      ...common,
      operationId: 'runSchedule',
      summary: 'Run a schedule now',
      description: 'The timetable does not change; a paused schedule can run too.',
      params: ScheduleParams,
      response: {
        202: AcceptedBody,
        ...errorResponses(...CHANGE_REFUSALS, 'SCHEDULE_RUNNING'),
      },
    },
    handler: async (request, reply) => {
      const id = await schedules.run(request.params.name, principalOf(request).userId);
      return answerAccepted(reply, { id, status: 'queued' });
    },
  });
}

/** Computed in several turns of the event loop: a hundred 29ths of February that are Mondays take some 50 ms. */
async function preview(timetable: Timetable, after: Date, count: number): Promise<Upcoming[]> {
  const found: Upcoming[] = [];
  for (let from: Date | undefined = after; from !== undefined && found.length < count;) {
    const some = upcoming(timetable, from, Math.min(TURN, count - found.length));
    found.push(...some);
    from = some.at(-1)?.at;
    await nextTurn();
  }
  return found;
}

/** Names invalid fields as in the request. */
async function spelled<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inWordsOf(error, 'every_ms');
  }
}
