/**
 * Durable tasks for one test file, in a database of its own.
 */
import { after, before } from 'node:test';
import { acceptTask } from '../../db/tasks/accept.ts';
import { startTask } from '../../db/tasks/attempts.ts';
import type { Fence } from '../../db/tasks/fence.ts';
import type { AcceptRequest } from '../../db/tasks/request.ts';
import { createTestDatabase, type TestDatabase } from './stores/postgres.ts';
import { acceptAndStart, request, start, succeedTask } from './tasks.ts';

export let database: TestDatabase;

before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

export const accept = (changes: Partial<AcceptRequest> = {}) =>
  acceptTask(database.pool, request(changes));

/** Accepts a task and starts it. */
export const begin = (changes: Partial<AcceptRequest> = {}): Promise<Fence> =>
  acceptAndStart(database.pool, changes);

/** Starts a task, which must be possible. */
export const restart = (id: string): Promise<Fence> => start(database.pool, id);

/** Starts a task that may not be ready. @returns what it runs with, if it does. */
export const startedWith = async (id: string): Promise<string | undefined> =>
  (await startTask(database.pool, id, 0))?.payload;

export const succeed = (claim: Fence, result = 'null') => succeedTask(database.pool, claim, result);
