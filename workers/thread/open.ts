/**
 * Opens an attempt. For a durable task, the row in Postgres decides whether to run, counts failures and stores the
 * outcome; for other tasks, the queue does.
 */
import { ERRORS } from '../../base/errors.ts';
import { describeError } from '../../base/telemetry/describe-error.ts';
import { isPostgresAway, type Queryable } from '../../db/stores/postgres.ts';
import { findDelay, type Start } from '../../db/tasks/attempts.ts';
import { StaleEpochError, type Fence } from '../../db/tasks/fence.ts';
import type { Task } from '../../jobs/framework/define.ts';
import type { TaskFacts } from '../../jobs/framework/signature.ts';
import { findOutput } from '../../db/tasks/graphs/read.ts';
import type { Decision, RunSoFar } from '../retry-decision.ts';
import type { AttemptEnd, ThreadJob } from '../protocol.ts';
import type { GroupedAttempts } from './grouped-attempts.ts';
import { buildContext, buildDurableContext, type Channels, type ThreadScope } from './context.ts';

export interface Opened {
  /** The task that runs: for a durable one, the task its row names. */
  task: TaskFacts;
  /** JSON text. */
  payload: string;
  /** What the task takes as `previous` in addition: the output of what it ran after. */
  previous?: { output: unknown } | undefined;
  run: RunSoFar;
  start(payload: never): Promise<unknown>;
  /** @param result JSON text. @returns the result the queue keeps. */
  succeed(result: string): Promise<string>;
  /** Records a failure or retry. */
  settle(decision: Decision): Promise<AttemptEnd>;
  /** As if it had not been opened, if the store can be reached. */
  leave(): Promise<void>;
}

export type TransientTask<X> = Extract<Task<X>, { durable: false }>;

/**
 * Opens the task that the row names, with the row's payload: the queue's job may be called something else.
 * @returns an outcome when there is nothing to run now.
 */
export async function openDurable<X>(
  job: ThreadJob,
  scope: ThreadScope<X>,
  channels: Channels,
): Promise<Opened | AttemptEnd> {
  const { attempts: store, tasks, unchargedForMs: forMs } = scope;
  const { id, headers } = job;
  const start = await store.start(id, job.attempts);
  if (start === undefined) return nothingToRun(job, await findDelay(scope.db, id), tasks);
  const { epoch, isFirst, attempts, snoozes, requestedAt, dueAt, slot, name, queue, userId } =
    start;
  const isMember = start.graphId !== null;
  const fence: Fence = { id, epoch };
  const uncharged = { sinceMs: dueAt.getTime(), forMs };
  const run: RunSoFar = { attempts, snoozes, askedMs: requestedAt.getTime(), uncharged };
  const task = tasks.find(name);
  if (task?.durable !== true) return record(unknownTask(name), fence, run, store, isMember);
  channels.reports.task = name;
  if (name !== job.task || queue !== job.queue) {
    const message = 'The queue has this task under another name or in another queue.';
    const fields = { queuedAs: job.task, queuedIn: job.queue };
    scope.tell({ type: 'log', id, task: name, message, fields });
  }
  const facts = {
    id,
    attempt: attempts + 1,
    delivery: Number(epoch),
    maxRetries: task.maxRetries,
    queue,
    headers,
    slot: slot === null ? undefined : new Date(slot),
    userId: userId ?? undefined,
  };
  const context = buildDurableContext(buildContext(scope, facts, channels), scope, fence);
  return {
    task,
    payload: start.payload,
    previous: await readPrevious(scope.db, start),
    run,
    start: (checked) => task.run(checked, context),
    async succeed(result) {
      await store.settle(fence, { kind: 'succeeded', result }, isMember);
      // The row has the result; Redis need not store it.
      return 'null';
    },
    settle: (decision) => record(decision, fence, run, store, isMember),
    leave: () =>
      store.settle(fence, { kind: 'unstarted', isFirst }, isMember).catch(() => undefined),
  };
}

/** Read when the task starts, so that results are not copied along. */
async function readPrevious(
  db: Queryable,
  { graphId, previous }: Start,
): Promise<Opened['previous']> {
  if (graphId === null || previous === null) return undefined;
  return { output: await findOutput(db, graphId, previous) };
}

export function openTransient<X>(
  task: TransientTask<X>,
  job: ThreadJob,
  scope: ThreadScope<X>,
  channels: Channels,
): Opened {
  const { id, queue, headers, attempts, snoozes, payload, createdAtMs } = job;
  const uncharged = { sinceMs: createdAtMs, forMs: scope.unchargedForMs };
  const run: RunSoFar = { attempts, snoozes, askedMs: createdAtMs, uncharged };
  const facts = {
    id,
    attempt: attempts + 1,
    delivery: undefined,
    maxRetries: task.maxRetries,
    queue,
    headers,
    slot: undefined,
    userId: undefined,
  };
  const context = buildContext(scope, facts, channels);
  return {
    task,
    payload,
    run,
    start: (checked) => task.run(checked, context),
    succeed: async (result) => result,
    settle: async (decision) => charge(decision, run),
    leave: async () => undefined,
  };
}

function nothingToRun<X>(
  { task, attempts }: ThreadJob,
  delayMs: number | undefined,
  tasks: ThreadScope<X>['tasks'],
): AttemptEnd {
  if (delayMs !== undefined)
    return { kind: 'released', delayMs, reason: 'the task is not due yet' };
  if (tasks.find(task) === undefined) return { ...unknownTask(task), attempts };
  return { kind: 'obsolete', reason: 'the task is finished or unknown' };
}

function unknownTask(name: string) {
  return { kind: 'failed', code: 'TASK_UNKNOWN', message: `No task is called ${name}.` } as const;
}

export function charge(decision: Decision, { attempts }: RunSoFar): AttemptEnd {
  const isCharged = decision.kind === 'retry' || decision.kind === 'failed';
  return isCharged ? { ...decision, attempts: attempts + 1 } : decision;
}

/**
 * Writes a failure to Postgres before the queue learns of it. If Postgres refuses the message, for instance a NUL
 * character, stores that of the catalogue.
 */
async function record(
  decision: Decision,
  fence: Fence,
  run: RunSoFar,
  store: GroupedAttempts,
  isMember: boolean,
): Promise<AttemptEnd> {
  if (decision.kind === 'released') return decision;
  try {
    await store.settle(fence, decision, isMember);
    return charge(decision, run);
  } catch (error) {
    const { message } = ERRORS.TASK_FAILED;
    if (error instanceof StaleEpochError) return notStored(error.message);
    if (isPostgresAway(error) || decision.kind === 'snoozed' || decision.message === message) {
      return notStored('the outcome could not be stored');
    }
    const cause = describeError(new Error(decision.message, { cause: error }));
    const plain: Decision = { ...decision, code: 'TASK_FAILED', message, cause };
    return record(plain, fence, run, store, isMember);
  }
}

function notStored(reason: string): AttemptEnd {
  return { kind: 'released', delayMs: 2000, reason };
}
