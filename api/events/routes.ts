/** Takes behaviour events from the front end. Postgres stores them at once; the scheduler forwards them to ClickHouse. */
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Compile } from 'typebox/compile';
import { storeEvents, type BehaviourEvent } from '../../db/daodao/events.ts';
import { AppError, ERRORS, type ErrorCode } from '../../base/errors.ts';
import { principalOf } from '../http/auth.ts';
import { findTextProblem } from '../http/body.ts';
import type { RouteContext } from '../context.ts';
import type { Api } from '../http/api.ts';
import {
  EventItem,
  EventsBody,
  EventsChecked,
  EventsRequest,
  MAX_EVENTS,
  MAX_EVENTS_BYTES,
  ProgressRequest,
  TimeSpentRequest,
  ViewRequest,
} from './schemas.ts';
import { errorResponses, UUID_PATTERN } from '../http/schemas.ts';
import { compileValidator, sentenceOf } from '../http/validation.ts';

/** In milliseconds. Older event ids may be pruned, so that a repeat would count twice. */
const MAX_AGE_MS = 48 * 3_600_000;
/** In milliseconds, for client clocks that run ahead. */
const MAX_SKEW_MS = 300_000;

/** Events checked in one turn of the event loop: 500 invalid ones take some 30 ms. */
const TURN = 100;

/** Entities identified by external id. */
const HAVE_UUIDS: ReadonlySet<string> = new Set(['practice', 'user']);

const item = Compile(EventItem);
const uuid = new RegExp(UUID_PATTERN);

interface Rejected {
  index: number;
  code: string;
  message: string;
}

const ROUTE = {
  tags: ['events'],
  response: {
    202: EventsBody,
    ...errorResponses(
      'REQUEST_INVALID',
      'BODY_MALFORMED',
      'BODY_TOO_LARGE',
      'TEXT_NOT_STORABLE',
      'CONTENT_TYPE_UNSUPPORTED',
      'UNAUTHENTICATED',
      'ORIGIN_FORBIDDEN',
      'QUOTA_EXCEEDED',
      'STORE_UNAVAILABLE',
      'OUTBOX_FULL',
    ),
  },
};

export function eventRoutes(app: Api, { db, limits }: RouteContext): void {
  async function store(userId: string, events: readonly BehaviourEvent[]): Promise<void> {
    limits.assertRoomForEvents();
    await storeEvents(db, userId, events, limits.eventsPerPerson);
  }

  /** Stores an event that happens now. */
  async function storeOne(
    userId: string,
    event: Omit<BehaviourEvent, 'event_id' | 'occurred_at'> & { event_id?: string | undefined },
  ) {
    const { event_id = randomUUID(), ...rest } = event;
    const problem = entityProblem(event, 'body');
    if (problem !== undefined) throw new AppError('REQUEST_INVALID', { message: problem });
    const occurred_at = new Date().toISOString();
    await store(userId, [storable({ ...rest, event_id, occurred_at })]);
    return { accepted: 1, rejected: [] };
  }

  app.route({
    method: 'POST',
    url: '/events',
    bodyLimit: MAX_EVENTS_BYTES,
    config: { checksText: true },
    validatorCompiler: (route) => compileValidator({ ...route, schema: EventsChecked }),
    schema: {
      operationId: 'sendEvents',
      summary: 'Report user behaviour',
      description:
        'An invalid event does not affect the others. A repeated event is stored once, so a client may retry a batch.',
      body: EventsRequest,
      ...ROUTE,
    },
    handler: async (request, reply) => {
      const { userId } = principalOf(request);
      const given = request.body.events;
      const { events, rejected } = await sort(given, Date.now());
      if (events.length > 0) await store(userId, events);
      reply.code(202);
      const accepted = events.length;
      const refused = given.length - accepted;
      return {
        accepted,
        rejected,
        ...(refused > rejected.length && { rejected_count: refused }),
      };
    },
  });

  app.route({
    method: 'POST',
    url: '/events/view',
    schema: {
      operationId: 'sendView',
      summary: 'Report a view',
      body: ViewRequest,
      ...ROUTE,
    },
    handler: async (request, reply) => {
      reply.code(202);
      return storeOne(principalOf(request).userId, { ...request.body, event_type: 'content_view' });
    },
  });

  app.route({
    method: 'POST',
    url: '/events/progress',
    schema: {
      operationId: 'sendProgress',
      summary: 'Report reading progress',
      body: ProgressRequest,
      ...ROUTE,
    },
    handler: async (request, reply) => {
      reply.code(202);
      return storeOne(principalOf(request).userId, {
        ...request.body,
        event_type: 'read_progress',
      });
    },
  });

  app.route({
    method: 'POST',
    url: '/events/time-spent',
    schema: {
      operationId: 'sendTimeSpent',
      summary: 'Report the time spent so far',
      description: 'Clients may send growing times during a visit: the longest counts.',
      body: TimeSpentRequest,
      ...ROUTE,
    },
    handler: async (request, reply) => {
      reply.code(202);
      return storeOne(principalOf(request).userId, { ...request.body, event_type: 'time_spent' });
    },
  });
}

/** Separates valid events from rejected ones, of which it lists at most `MAX_EVENTS`. */
async function sort(
  items: readonly unknown[],
  nowMs: number,
): Promise<{ events: BehaviourEvent[]; rejected: Rejected[] }> {
  const events: BehaviourEvent[] = [];
  const rejected: Rejected[] = [];
  for (const [index, given] of items.entries()) {
    if (rejected.length === MAX_EVENTS) break;
    if (index % TURN === TURN - 1) await nextTurn();
    const problem = index < MAX_EVENTS ? problemOf(given, nowMs) : new AppError('EVENTS_TOO_MANY');
    if (problem === undefined) events.push(storable(given as BehaviourEvent));
    else rejected.push({ index, code: problem.code, message: problem.message });
  }
  return { events, rejected };
}

/** Normalizes the time to UTC, as the stores accept fewer offsets than RFC 3339, and UUIDs to lower case. */
function storable(event: BehaviourEvent): BehaviourEvent {
  const { entity_type: type, entity_id: id, occurred_at: at } = event;
  return {
    ...event,
    entity_id: HAVE_UUIDS.has(type) ? id.toLowerCase() : id,
    occurred_at: new Date(at).toISOString(),
  };
}

function entityProblem(
  { entity_type: type, entity_id: id }: Pick<BehaviourEvent, 'entity_type' | 'entity_id'>,
  where: string,
): string | undefined {
  if (!HAVE_UUIDS.has(type) || uuid.test(id)) return undefined;
  return `entity_id (${where}) must be a UUID: the external id of a ${type}.`;
}

function problemOf(given: unknown, nowMs: number): AppError | undefined {
  if (!item.Check(given)) {
    return new AppError('EVENT_INVALID', { message: sentenceOf('event', item.Errors(given)) });
  }
  const textProblem = findTextProblem(given);
  if (textProblem !== undefined) return textProblem;
  const entity = entityProblem(given, 'event');
  if (entity !== undefined) return new AppError('EVENT_INVALID', { message: entity });
  const { event_type: type, value, occurred_at: occurredAt } = given;
  if (type === 'read_progress' && (value === undefined || value < 0 || value > 100)) {
    return new AppError('EVENT_INVALID', {
      message: 'value (event) must be from 0 to 100 per cent.',
    });
  }
  if (type === 'time_spent' && given.duration_ms === undefined) {
    return new AppError('EVENT_INVALID', { message: 'duration_ms (event) is required.' });
  }
  const ageMs = nowMs - Date.parse(occurredAt);
  // RFC 3339 allows leap seconds and JavaScript does not: NaN would pass both age checks.
  if (Number.isNaN(ageMs)) {
    return new AppError('EVENT_INVALID', {
      message: 'occurred_at (event) must not be a leap second.',
    });
  }
  const code: ErrorCode | undefined =
    ageMs > MAX_AGE_MS ? 'EVENT_TOO_OLD' : ageMs < -MAX_SKEW_MS ? 'EVENT_IN_FUTURE' : undefined;
  return code && new AppError(code, { message: ERRORS[code].message });
}
