/**
 * Attempts at durable tasks on a real Postgres: the clients of a thread, and a task made for each test.
 */
import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { Type } from 'typebox';
import { Cache } from '../../../db/stores/cache.ts';
import type { Pool } from '../../../db/stores/postgres.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { GroupedAttempts } from '../../../workers/thread/grouped-attempts.ts';
import { findTask, type TaskRow } from '../../../db/tasks/rows.ts';
import { Broker } from '../../../jobs/queue/index.ts';
import { Enqueuer } from '../../../jobs/framework/calls/enqueue.ts';
import { TASKS } from '../../../jobs/tasks.ts';
import { defineTask, type Context } from '../../../jobs/define.ts';
import type { TaskContext } from '../../../jobs/framework/context.ts';
import type { Task } from '../../../jobs/framework/define.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import type { Resources } from '../../../jobs/resources.ts';
import type { ThreadScope } from '../../../workers/thread/context.ts';
import type { FromThread, ThreadJob } from '../../../workers/protocol.ts';
import { Stop } from '../../../workers/thread/stop.ts';
import { noEvents, noVectors } from '../domain/context.ts';
import { createTestDatabase, type TestDatabase } from '../stores/postgres.ts';
import { createTestRedis, type TestRedis } from '../stores/redis.ts';
import { request } from '../tasks.ts';

export let database: TestDatabase;
/** The queue that tasks ask for others in. */
export let broker: Broker;
let redis: TestRedis;
export let scope: ThreadScope<Resources>;
let cache: Cache;
export const told: FromThread[] = [];

before(async () => {
  database = await createTestDatabase();
  redis = createTestRedis();
  broker = new Broker({ url: redis.url, prefix: redis.prefix });
  cache = new Cache('redis://127.0.0.1:9', 'unused');
  const db = database.pool;
  scope = {
    get tasks() {
      return new Tasks(registered);
    },
    resources: {
      settings: { feedbackMinProgress: 70, feedbackMinNoteLength: 30, feedbackPerDay: 1000 },
      llm: { chat: () => Promise.reject(new Error('these tasks ask no model')) },
      embedder: { embed: () => Promise.reject(new Error('these tasks ask no model')) },
      vectors: noVectors(),
      events: noEvents(),
      cache,
    },
    db,
    attempts: new GroupedAttempts(db),
    get reader() {
      return database.reader;
    },
    enqueuer: new Enqueuer({
      db,
      broker,
      get tasks() {
        return new Tasks(registered);
      },
      queues: [],
      deferred: () => undefined,
    }),
    unchargedForMs: 86_400_000,
    tell: (message) => told.push(message),
  };
});
after(async () => {
  cache.close();
  broker.close();
  await redis.clear();
  await database.drop();
});

export const live = new Stop();

/** What a thread has, with other resources. */
export function scopeWith(given: Partial<Resources>): ThreadScope<Resources> {
  return { ...scope, resources: { ...scope.resources, ...given } };
}

/** A thread whose tasks are in this database. */
export function scopeOn(db: Pool): ThreadScope<Resources> {
  return { ...scope, db, attempts: new GroupedAttempts(db) };
}

const registered: Task<Resources>[] = [...TASKS];

/** For the attempts and calls of this file. */
export function register(task: Task<Resources>): void {
  registered.push(task);
}

const payload = Type.Object({ word: Type.String() });

/** Registers a durable task that does this, and accepts one row of it. */
export async function accepted(
  run: (ctx: Context) => Promise<unknown>,
  text = '{"word":"hi"}',
): Promise<ThreadJob> {
  const name = `test.${randomUUID()}`;
  register(
    defineTask({
      name,
      payload,
      result: Type.Union([Type.String(), Type.Null()]),
      maxRetries: 2,
      retryForMs: 60_000,
      backoff: { delayMs: 1000, factor: 3, maxMs: 60_000, jitter: 'none' },
      run: (_, ctx) => run(ctx) as Promise<string>,
    }),
  );
  const row = request({ name, payload: text });
  await acceptTask(database.pool, row);
  return jobOf(row.id, name, text);
}

/** Registers a task that is not durable and does this. */
export function transient(run: (ctx: TaskContext) => Promise<unknown>): ThreadJob {
  const name = `test.${randomUUID()}`;
  const result = Type.Unknown();
  register(defineTask({ name, durable: false, payload, result, run: (_, ctx) => run(ctx) }));
  return jobOf(randomUUID(), name, '{"word":"hi"}');
}

function jobOf(id: string, task: string, text: string): ThreadJob {
  const createdAtMs = Date.now();
  return { id, task, queue: 'default', payload: text, headers: {}, attempts: 0, createdAtMs };
}

export async function rowOf({ id }: ThreadJob): Promise<TaskRow> {
  return (await findTask(database.pool, id))!;
}
