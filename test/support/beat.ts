/**
 * Schedules of a test, and processes that keep them by a clock which stands still until it is set.
 */
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach } from 'node:test';
import { Type } from 'typebox';
import { findSlots } from '../../db/tasks/schedules.ts';
import { ScheduleBook, type ScheduleBookDependencies } from '../../jobs/framework/beat/book.ts';
import {
  defineSchedule,
  type Schedule,
  type ScheduleOptions,
} from '../../jobs/framework/beat/schedule.ts';
import { Broker, Inspector } from '../../jobs/queue/index.ts';
import { Enqueuer } from '../../jobs/framework/calls/enqueue.ts';
import { defineTask } from '../../jobs/framework/define.ts';
import { Tasks } from '../../jobs/framework/tasks.ts';
import { fireDue, type BeatOptions } from '../../scheduler/beat.ts';
import { Telemetry, type EventName, type Events } from '../../base/telemetry/telemetry.ts';
import { createTestDatabase, type TestDatabase } from './stores/postgres.ts';
import { createTestRedis, type TestRedis } from './stores/redis.ts';

export const task = defineTask({
  name: 'test.scheduled',
  payload: Type.Object({ word: Type.String() }),
  result: Type.Null(),
  run: async () => null,
});

export const HOUR_MS = 3_600_000;
export const START = Date.parse('2026-03-01T00:00:00Z');

export let database: TestDatabase;
let redis: TestRedis;
let broker: Broker;
export let inspector: Inspector;
let enqueuer: Enqueuer;

before(async () => {
  database = await createTestDatabase();
  redis = createTestRedis();
  broker = new Broker({ url: redis.url, prefix: redis.prefix });
  inspector = new Inspector(broker);
  enqueuer = new Enqueuer({
    db: database.pool,
    broker,
    tasks: new Tasks([task]),
    queues: [],
    deferred: () => undefined,
  });
  await broker.open();
});
after(async () => {
  broker.close();
  await redis.clear();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query(
    'TRUNCATE ai.tasks, ai.schedules, ai.schedule_slots, ai.schedule_changes CASCADE',
  );
});

interface Told {
  event: EventName;
  fields: Events[EventName];
}

/** Schedules, and processes that keep them by a clock which stands still until it is set. */
export class World {
  nowMs = START;
  readonly told: Told[] = [];
  readonly schedules: Schedule[] = [];
  readonly options: BeatOptions & ScheduleBookDependencies;

  constructor() {
    const telemetry = new Telemetry();
    telemetry.on((event, fields) => void this.told.push({ event, fields }));
    const clock = async (): Promise<Date> => new Date(this.nowMs);
    const { schedules } = this;
    this.options = { db: database.pool, enqueuer, schedules, telemetry, clock };
  }

  get book(): ScheduleBook {
    return new ScheduleBook(this.options);
  }

  /** @returns its name. By default it is due every hour. */
  add(options: Partial<ScheduleOptions> = {}): string {
    const name = `s-${randomUUID()}`;
    const everyMs = options.cron === undefined ? HOUR_MS : undefined;
    const call = task.s({ word: 'hi' });
    this.schedules.push(defineSchedule({ name, call, everyMs, ...options }));
    return name;
  }

  /** Sets the clock and runs rounds of one process until nothing is due. */
  async lookAt(afterMs: number): Promise<void> {
    this.nowMs = START + afterMs;
    while ((await fireDue(this.options)) <= 0);
  }
}

/** Slots that have been dealt with, the oldest first: when they were due, and what came of it. */
export async function slots(name: string): Promise<[afterMs: number, outcome: string][]> {
  const found = await findSlots(database.pool, name, 1000);
  return found
    .toReversed()
    .map(({ slot, outcome }) => [slot.getTime() - START, outcome] as [number, string]);
}

export async function tasks(): Promise<{ id: string; payload: unknown; runAtMs: number }[]> {
  const { rows } = await database.pool.query<{ id: string; payload: unknown; run_at: Date }>(
    'SELECT id, payload, coalesce(run_at, created_at) AS run_at FROM ai.tasks ORDER BY created_at, run_at',
  );
  return rows.map(({ id, payload, run_at }) => ({ id, payload, runAtMs: run_at.getTime() }));
}

export const finishAll = () =>
  database.pool.query(
    `UPDATE ai.tasks SET status = 'done', finished_at = now() WHERE finished_at IS NULL`,
  );
