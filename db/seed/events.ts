/**
 * Behaviour events of the seed users over 21 days: visits that begin with cards and may end with a like.
 */
import type { BehaviourEvent } from '../daodao/events.ts';
import type { Clickhouse } from '../stores/clickhouse.ts';
import { SEED_PRACTICES } from './practices.ts';
import { azhe, emily, nianan, peijun, xiaohe, type SeedUser } from './users.ts';

const DAYS = 21;
const EVENTS = 400;
const DAY_MS = 86_400_000;
/** Taipei is UTC+8 all year. */
const TAIPEI_OFFSET_MS = 8 * 3_600_000;

/** A row of `daodao.user_events`; times are UTC, in ClickHouse's notation. */
export interface SeedEvent extends BehaviourEvent {
  user_id: string;
  owner_id: string;
  received_at: string;
}

type Action = Pick<SeedEvent, 'event_type' | 'page' | 'duration_ms' | 'value' | 'match_reason'>;

/** Each user as often as their share of visits; the newcomer has none. */
const VISITORS: readonly SeedUser[] = [
  { user: xiaohe, weight: 3 },
  { user: azhe, weight: 3 },
  { user: peijun, weight: 2 },
  { user: emily, weight: 2 },
  { user: nianan, weight: 1 },
].flatMap(({ user, weight }) => Array.from({ length: weight }, () => user));
const REASONS = ['ongoing_practice', 'tag_match', 'professional_field', 'popular_content'];
const VISIBLE = SEED_PRACTICES.filter(
  ({ privacy, status }) => privacy === 'public' && (status === 'active' || status === 'completed'),
);

/**
 * Inserts the events of the days before `now`, unless the table has them. It merges the rows of concurrent calls.
 * @returns the number of inserted events.
 */
export async function seedEvents(clickhouse: Clickhouse, now = new Date()): Promise<number> {
  const values = generateEvents(now);
  const found = await clickhouse.query({
    query: 'SELECT count() AS count FROM daodao.user_events WHERE event_id = {id:UUID}',
    query_params: { id: eventId(0) },
    format: 'JSONEachRow',
  });
  const rows = await found.json<{ count: string | number }>();
  if (Number(rows[0]?.count) > 0) return 0;
  await clickhouse.insert({ table: 'daodao.user_events', values, format: 'JSONEachRow' });
  return values.length;
}

/** Generates the same events, in order of time, for every moment of a Taipei day; another day shifts them. */
export function generateEvents(now: Date): SeedEvent[] {
  const random = mulberry32(20);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const today = Math.floor((now.getTime() + TAIPEI_OFFSET_MS) / DAY_MS) * DAY_MS - TAIPEI_OFFSET_MS;
  const timed: {
    atMs: number;
    event: Omit<SeedEvent, 'event_id' | 'occurred_at' | 'received_at'>;
  }[] = [];
  while (timed.length < EVENTS) {
    const user = pick(VISITORS);
    const practice = pick(VISIBLE.filter(({ owner }) => owner !== user));
    // From 07:00 to 23:00 in Taipei, so that a visit ends on the day it began.
    let atMs = today - (1 + Math.floor(random() * DAYS)) * DAY_MS + (7 + random() * 16) * 3_600_000;
    for (const action of visit(random, practice.externalId, pick(REASONS))) {
      const { externalId: entity_id, owner } = practice;
      const entity = { entity_type: 'practice', entity_id, owner_id: owner.externalId };
      timed.push({ atMs, event: { user_id: user.externalId, ...entity, ...action } });
      atMs += 1000 + Math.floor(random() * 30_000);
    }
  }
  return timed
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, event }, index) => ({
      event_id: eventId(index),
      ...event,
      occurred_at: clickhouseTime(atMs),
      received_at: clickhouseTime(atMs + 2000),
    }));
}

/** A visit may end at the card, after the click, or after reading, with a like or a share. */
function visit(random: () => number, practiceId: string, match_reason: string): Action[] {
  const feed = '/recommendations';
  const page = `/practices/${practiceId}`;
  const actions: Action[] = [
    { event_type: 'page_view', page: feed },
    { event_type: 'impression', page: feed, match_reason },
  ];
  if (random() < 0.3) return actions;
  actions.push(
    { event_type: 'card_click', page: feed, match_reason },
    { event_type: 'content_view', page },
  );
  const readMs = 5000 + Math.floor(random() * 60_000);
  actions.push({ event_type: 'time_spent', page, duration_ms: readMs });
  if (random() < 0.4) return actions;
  actions.push(
    { event_type: 'time_spent', page, duration_ms: readMs * 2 },
    { event_type: 'read_progress', page, value: Math.round(40 + random() * 60) },
  );
  if (random() < 0.35) actions.push({ event_type: 'like', page });
  else if (random() < 0.1) actions.push({ event_type: 'share', page });
  return actions;
}

function eventId(index: number): string {
  return `5eedda0d-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

function clickhouseTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 23).replace('T', ' ');
}

/** A seeded generator of numbers in [0, 1), so that every seeding produces the same events. */
function mulberry32(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
