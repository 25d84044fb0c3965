/**
 * Keeps Postgres and Redis in step: enqueues accepted tasks that the queue lost (a failed dispatch, a flushed or
 * restarted Redis, a failover), and writes outcomes that only the queue knows to Postgres.
 */
import type { Pool } from '../db/stores/postgres.ts';
import {
  checkAgain,
  releaseTrailing,
  takeDueChecks,
  type UnfinishedTask,
} from '../db/tasks/reconciliation.ts';
import { closeTask } from '../db/tasks/ends.ts';
import { ERRORS } from '../base/errors.ts';
import type { Inspector, JobStatus, Producer } from '../jobs/queue/index.ts';
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
  const tasks = await takeDueChecks(db, PAGE, 2 * leaseMs);
  if (tasks.length === 0) return IDLE_MS;
  try {
    const statuses = await inspector.statuses(tasks.map(({ id }) => id));
    for (const [index, status] of statuses.entries()) {
      await settle(status, tasks[index]!.epoch, options);
    }
    await dispatch(
      tasks.filter((_, index) => statuses[index]!.state === 'unknown'),
      options,
    );
  } catch (error) {
    await checkAgain(db, tasks, IDLE_MS);
    throw error;
  }
  return tasks.length === PAGE ? 0 : IDLE_MS;
}

/** @throws the first refusal, after enqueueing all other tasks. */
async function dispatch(
  tasks: readonly UnfinishedTask[],
  { producer, telemetry }: ReconcilerOptions,
): Promise<void> {
  if (tasks.length === 0) return;
  const results = await Promise.allSettled(
    tasks.map(({ headers, delay_ms: delayMs, expires_ms, ...task }) =>
      producer.enqueue(
        toJob({
          ...task,
          headers: headers ?? undefined,
          delayMs,
          expiresMs: expires_ms ?? undefined,
        }),
      ),
    ),
  );
  const refused = results.filter((result) => result.status === 'rejected');
  const jobs = results.length - refused.length;
  if (jobs > 0) telemetry.emit('reconciler.dispatched', { jobs });
  if (refused.length > 0) throw refused[0]!.reason;
}

async function settle(
  { id, state, reason }: JobStatus,
  epoch: string,
  { db, telemetry }: ReconcilerOptions,
): Promise<void> {
  if (state !== 'failed' && state !== 'revoked') return;
  const code = toErrorCode(reason?.code);
  const status = state === 'failed' ? 'error' : 'revoked';
  const failure = { code, message: ERRORS[code].message };
  const closed = await closeTask(db, id, status, failure, epoch);
  if (closed) telemetry.emit('reconciler.settled', { taskId: id, status });
}
