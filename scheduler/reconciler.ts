/**
 * Keeps Postgres and Redis in step: enqueues accepted tasks that the queue lost (a failed dispatch, a flushed or
 * restarted Redis, a failover), and writes outcomes that only the queue knows to Postgres.
 */
import { Type } from 'typebox';
import { Check } from 'typebox/schema';
import type { Pool } from '../db/stores/postgres.ts';
import {
  checkAgain,
  releaseTrailing,
  takeDueChecks,
  type UnfinishedTask,
} from '../db/tasks/reconciliation.ts';
import { closeTask } from '../db/tasks/ends.ts';
import { ERRORS } from '../base/errors.ts';
import {
  isJobId,
  QueueError,
  type Inspector,
  type JobRequest,
  type JobStatus,
  type Producer,
  type QueueErrorCode,
} from '../jobs/queue/index.ts';
import { toErrorCode } from '../jobs/framework/calls/result.ts';
import { toJob } from '../jobs/framework/calls/to-job.ts';
import { Loop } from '../base/service.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';

/** Tasks per round. */
const PAGE = 500;
/** Pause while nothing is due, in milliseconds. */
const IDLE_MS = 1000;

export interface ReconcilerOptions {
  db: Pool;
  producer: Producer;
  inspector: Inspector;
  telemetry: Telemetry;
  leaseMs: number;
}

export function createReconciler(options: ReconcilerOptions): Loop {
  return new Loop({
    name: 'reconciler',
    tick: () => reconcile(options),
    onError: (error) => options.telemetry.emit('loop.failed', { loop: 'reconciler', error }),
  });
}

/** @returns the pause before the next round, in milliseconds; 0 after a full page. */
export async function reconcile(options: ReconcilerOptions): Promise<number> {
  const { db, inspector, leaseMs } = options;
  // A concurrent request for the same key may block this; the next round comes soon.
  await releaseTrailing(db).catch((error: unknown) =>
    options.telemetry.emit('loop.failed', { loop: 'reconciler', error }),
  );
  const taken = await takeDueChecks(db, PAGE, 2 * leaseMs);
  if (taken.length === 0) return IDLE_MS;
  const tasks = await setAsideUnreadable(taken, options);
  try {
    const statuses = await inspector.statuses(tasks.map(({ id }) => id));
    for (const [index, status] of statuses.entries()) {
      await settle(status, tasks[index]!, options);
    }
    await dispatch(
      tasks.filter((_, index) => statuses[index]!.state === 'unknown'),
      options,
    );
  } catch (error) {
    await checkAgain(db, tasks, IDLE_MS);
    throw error;
  }
  return taken.length === PAGE ? 0 : IDLE_MS;
}

/** The queue will never take a row with such an id. @returns the other tasks. */
async function setAsideUnreadable(
  tasks: readonly UnfinishedTask[],
  options: ReconcilerOptions,
): Promise<UnfinishedTask[]> {
  const readable: UnfinishedTask[] = [];
  for (const task of tasks) {
    if (isJobId(task.id)) readable.push(task);
    else await setAside(task, new QueueError('JOB_ID_INVALID'), options);
  }
  return readable;
}

/** Ends a task that can never be dispatched, so that it holds up no other. */
async function setAside(
  { id, epoch }: UnfinishedTask,
  error: unknown,
  { db, telemetry }: ReconcilerOptions,
): Promise<void> {
  const { message } = ERRORS.TASK_UNDISPATCHABLE;
  const closed = await closeTask(db, id, 'error', { code: 'TASK_UNDISPATCHABLE', message }, epoch);
  if (closed) telemetry.emit('reconciler.set_aside', { taskId: id, error });
}

/** @throws the first failure that another try may mend, after enqueueing all other tasks. */
async function dispatch(
  tasks: readonly UnfinishedTask[],
  options: ReconcilerOptions,
): Promise<void> {
  if (tasks.length === 0) return;
  const results = await Promise.allSettled(
    tasks.map(async (task) => options.producer.enqueue(rebuild(task))),
  );
  let jobs = 0;
  const failures: unknown[] = [];
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') jobs++;
    else if (isForGood(result.reason)) await setAside(tasks[index]!, result.reason, options);
    // Another process dispatched it meanwhile, before its row changed.
    else if (!isConflict(result.reason)) failures.push(result.reason);
  }
  if (jobs > 0) options.telemetry.emit('reconciler.dispatched', { jobs });
  if (failures.length > 0) throw failures[0];
}

/** @throws {QueueError} `JOB_OPTION_INVALID` */
function rebuild({ options, delay_ms: delayMs, expires_ms, ...task }: UnfinishedTask): JobRequest {
  const stored: unknown = JSON.parse(options);
  if (!Check(StoredOptions, stored)) throw new QueueError('JOB_OPTION_INVALID');
  return toJob({ ...task, headers: stored.headers, delayMs, expiresMs: expires_ms ?? undefined });
}

const StoredOptions = Type.Object({
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
});

/** Whether the queue refuses what the row asks for, and would do so for ever. */
function isForGood(error: unknown): boolean {
  return error instanceof QueueError && REFUSALS.has(error.code);
}

const REFUSALS: ReadonlySet<QueueErrorCode> = new Set([
  'JOB_ID_INVALID',
  'JOB_OPTION_INVALID',
  'PAYLOAD_NOT_JSON',
  'PAYLOAD_TOO_LARGE',
]);

function isConflict(error: unknown): boolean {
  return error instanceof QueueError && error.code === 'JOB_CONFLICT';
}

async function settle(
  { id, state, reason, about }: JobStatus,
  task: UnfinishedTask,
  options: ReconcilerOptions,
): Promise<void> {
  if (state !== 'succeeded' && state !== 'failed' && state !== 'revoked') return;
  // Another task has used the id: its end is not that of the row, which has not run and cannot be dispatched.
  if (about !== undefined && about.task !== task.name) {
    return setAside(task, new QueueError('JOB_CONFLICT'), options);
  }
  if (state === 'succeeded') return;
  const code = toErrorCode(reason?.code);
  const status = state === 'failed' ? 'error' : 'revoked';
  const failure = { code, message: ERRORS[code].message };
  const closed = await closeTask(options.db, id, status, failure, task.epoch);
  if (closed) options.telemetry.emit('reconciler.settled', { taskId: id, status });
}
