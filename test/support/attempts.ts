/**
 * Attempts at durable tasks on a real Postgres: the clients of a thread, and a task made for each test.
 */
import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { Type } from 'typebox';
import { Cache } from '../../db/cache.ts';
import { acceptTask, findTask, type TaskRow } from '../../db/tasks.ts';
import { defineTask, type DurableContext } from '../../jobs/task.ts';
import type { Resources } from '../../workers/context.ts';
import type { FromThread, ThreadJob } from '../../workers/protocol.ts';
import { Stop } from '../../workers/stop.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { register } from './tasks-of-tests.ts';
import { request } from './tasks.ts';

export let database: TestDatabase;
export let resources: Resources;
export const told: FromThread[] = [];

before(async () => {
  database = await createTestDatabase();
  resources = {
    db: database.pool,
    cache: new Cache('redis://127.0.0.1:9', 'unused'),
    llm: { chat: () => Promise.reject(new Error('these tasks ask no model')) },
    settings: { feedbackMinProgress: 70, feedbackMinNoteLength: 30 },
    tell: (message) => told.push(message),
  };
});
after(async () => {
  resources.cache.close();
  await database.drop();
});

export const live = new Stop();

/** Registers a durable task that does this, and accepts one row of it. */
export async function accepted(
  run: (ctx: DurableContext) => Promise<unknown>,
  payload = '{"word":"hi"}',
): Promise<ThreadJob> {
  const name = `test.${randomUUID()}`;
  register(
    defineTask({
      name,
      payload: Type.Object({ word: Type.String() }),
      result: Type.Union([Type.String(), Type.Null()]),
      maxRetries: 2,
      retryForMs: 60_000,
      backoff: { delayMs: 1000, factor: 3, maxMs: 60_000, jitter: 'none' },
      run: (_, ctx) => run(ctx) as Promise<string>,
    }),
  );
  const row = request({ name, payload });
  await acceptTask(database.pool, row);
  return {
    id: row.id,
    task: name,
    queue: 'default',
    payload,
    attempts: 0,
    createdAtMs: Date.now(),
  };
}

export async function rowOf({ id }: ThreadJob): Promise<TaskRow> {
  return (await findTask(database.pool, id))!;
}
