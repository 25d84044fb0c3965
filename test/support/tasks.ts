/**
 * Tasks to accept and start.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Pool, Queryable } from '../../db/stores/postgres.ts';
import { settleTask, startTask, type Failure } from '../../db/tasks/attempts.ts';
import type { Fence } from '../../db/tasks/fence.ts';
import { acceptTask } from '../../db/tasks/accept.ts';
import type { AcceptRequest } from '../../db/tasks/request.ts';

/** A request that collides with no other. */
export function request(changes: Partial<AcceptRequest> = {}): AcceptRequest {
  const id = randomUUID();
  return { id, name: 'greet', queue: 'default', priority: 5, payload: '{}', ...changes };
}

/** What repeats of one request share. */
export function sameWork(): Partial<AcceptRequest> {
  return { userId: randomUUID(), dedupeKey: `greet:${randomUUID()}`, inputHash: randomUUID() };
}

export async function start(pool: Pool, id: string): Promise<Fence> {
  const started = await startTask(pool, id, 0);
  assert.ok(started);
  return { id, epoch: started.epoch };
}

export async function acceptAndStart(
  pool: Pool,
  changes: Partial<AcceptRequest> = {},
): Promise<Fence> {
  const { id } = await acceptTask(pool, request(changes));
  return start(pool, id);
}

/** @param result JSON text. */
export const succeedTask = (db: Queryable, fence: Fence, result: string): Promise<void> =>
  settleTask(db, fence, { kind: 'succeeded', result });

export const failTask = (db: Queryable, fence: Fence, failure: Failure): Promise<void> =>
  settleTask(db, fence, { kind: 'failed', ...failure });

export const retryTask = (
  db: Queryable,
  fence: Fence,
  failure: Failure,
  delayMs: number,
): Promise<void> => settleTask(db, fence, { kind: 'retry', delayMs, ...failure });
