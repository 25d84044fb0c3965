/**
 * How work is asked for: check, accept in Postgres, hand to the queue as best effort; and how it is followed.
 */
import { randomUUID } from 'node:crypto';
import { Type, type Static, type TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { isPostgresAway, type Pool } from '../db/postgres.ts';
import { acceptTask, findTask, type Accepted, type TaskRow } from '../db/tasks.ts';
import { AppError } from '../errors.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Inspector, Producer } from './queue/index.ts';
import type { DurableTask } from './task.ts';
import type { TaskWaiter } from './waiter.ts';

export interface ApplyOptions {
  /** External id of the user who asks. */
  userId?: string | undefined;
  /** What it is about, for instance a practice's external id. */
  subject?: string | undefined;
  /** At most one unfinished task per key. */
  dedupeKey?: string | undefined;
  /** Unique per user for 24 h: the same key and request get the same task. */
  idempotencyKey?: string | undefined;
  /** Hash of everything the result depends on: a finished task with the same one is the answer. */
  inputHash?: string | undefined;
  /** 0 to 9, 9 first. Default: the task's. */
  priority?: number | undefined;
}

/** A task as its owner sees it: the row, and what Redis knows besides (null while Redis is away). */
export interface TaskView extends TaskRow {
  state: string | null;
  progress: Static<typeof Progress> | null;
}

const Progress = Type.Object({
  value: Type.Number(),
  note: Type.Union([Type.String(), Type.Null()]),
});

export interface TaskClient {
  /**
   * Accepts a task durably, then hands it to the queue. Redis being away does not fail it: the reconciler does that later.
   * @throws {AppError} `TASK_PAYLOAD_INVALID`, `IDEMPOTENCY_KEY_REUSED`, `STORE_UNAVAILABLE` (Postgres is away)
   */
  applyAsync<P extends TSchema, R extends TSchema>(
    task: DurableTask<P, R>,
    payload: Static<P>,
    options?: ApplyOptions,
  ): Promise<Accepted>;
  find(id: string): Promise<TaskView | undefined>;
  /** Resolves when the task is finished, `timeoutMs` have passed or `signal` is aborted, whichever is first. */
  waitUntilFinished(id: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
}

export interface TaskClientDependencies {
  db: Pool;
  producer: Producer;
  inspector: Inspector;
  waiter: TaskWaiter;
  telemetry: Telemetry;
}

export function createTaskClient({
  db,
  producer,
  inspector,
  waiter,
  telemetry,
}: TaskClientDependencies): TaskClient {
  /** Not awaited by the caller: accepted work does not depend on it. */
  async function dispatch(
    id: string,
    task: Pick<DurableTask, 'name' | 'queue'>,
    priority: number,
    payload: string,
  ): Promise<void> {
    try {
      await producer.enqueue({ id, task: task.name, queue: task.queue, priority, payload });
    } catch (error) {
      telemetry.emit('task.dispatch_deferred', { taskId: id, error });
    }
  }

  return {
    async applyAsync(task, payload, options = {}) {
      if (!Check(task.payload, payload)) throw new AppError('TASK_PAYLOAD_INVALID');
      const { priority = task.priority, ...rest } = options;
      const text = JSON.stringify(payload);
      const request = {
        id: randomUUID(),
        name: task.name,
        queue: task.queue,
        priority,
        payload: text,
        ...rest,
      };
      const accepted = await acceptTask(db, request).catch((cause: unknown) => {
        throw isPostgresAway(cause)
          ? new AppError('STORE_UNAVAILABLE', { retryAfterSeconds: 5, cause })
          : cause;
      });
      const facts = { taskId: accepted.id, task: task.name };
      if (accepted.outcome === 'created') {
        telemetry.emit('task.accepted', facts);
        void dispatch(accepted.id, task, priority, text);
      } else {
        telemetry.emit('task.repeated', facts);
      }
      return accepted;
    },

    async find(id) {
      const row = await findTask(db, id);
      if (row === undefined) return undefined;
      const hint = await inspector.status(id).catch(() => undefined);
      const progress = hint?.progress === undefined ? null : readProgress(hint.progress);
      return {
        ...row,
        state: hint === undefined || hint.state === 'unknown' ? null : hint.state,
        progress,
      };
    },

    waitUntilFinished: (id, timeoutMs, signal) => waiter.wait(id, timeoutMs, signal),
  };
}

/** A hint, and only that: whatever stands in Redis, reading a task does not fail of it. */
function readProgress(text: string): TaskView['progress'] {
  try {
    const progress: unknown = JSON.parse(text);
    return Check(Progress, progress) ? progress : null;
  } catch {
    return null;
  }
}
