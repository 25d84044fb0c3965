/**
 * One attempt at one job, inside a thread: open, run, settle.
 */
import { ERRORS } from '../../base/errors.ts';
import { StaleEpochError } from '../../db/tasks/fence.ts';
import { Reject, Retry } from '../../jobs/framework/errors.ts';
import { fits } from '../../jobs/framework/schema.ts';
import type { TaskFacts } from '../../jobs/framework/signature.ts';
import { isLongerThan, MAX_RESULT_BYTES } from '../../jobs/queue/index.ts';
import { decide, isStoreUnavailable, type Decision } from '../retry-decision.ts';
import type { AbortReason, AttemptEnd, ThreadJob } from '../protocol.ts';
import type { ThreadScope } from './context.ts';
import { charge, openDurable, openTransient, type Opened } from './open.ts';
import type { Stop } from './stop.ts';

const SOFT_LIMIT: AbortReason = 'soft time limit';

/** Runs a job to its end; never throws. */
export async function attempt<X>(
  job: ThreadJob,
  scope: ThreadScope<X>,
  stop: Stop,
): Promise<AttemptEnd> {
  const startedMs = performance.now();
  const task = scope.tasks.find(job.task);
  if (task === undefined) {
    const { code, message } = new Reject('TASK_UNKNOWN', `No task is called ${job.task}.`);
    return { kind: 'failed', attempts: job.attempts, code, message };
  }
  let opened: Opened | undefined;
  try {
    const begun = task.durable
      ? await openDurable(task, job, scope, stop)
      : openTransient(task, job, scope, stop);
    if ('kind' in begun) return begun;
    opened = begun;
    const value = await opened.start(readPayload(task, opened.payload));
    const result = await opened.succeed(encodeResult(task, value));
    return { kind: 'succeeded', result, durationMs: performance.now() - startedMs };
  } catch (error) {
    const run = opened?.run ?? { attempts: job.attempts, askedMs: job.createdAtMs };
    const decision = aborted(stop) ?? decide(causeOf(error, stop), run, task);
    return opened === undefined ? charge(decision, run) : opened.settle(decision);
  }
}

/** What was stopped from outside has not failed. */
function aborted({ reason }: Stop): Decision | undefined {
  if (reason === undefined || reason === SOFT_LIMIT) return undefined;
  return { kind: 'released', delayMs: 0, reason };
}

/**
 * An attempt that ended because of its soft limit says so, whatever the abort made it throw: but for what the task threw on
 * purpose, and for what is not its fault.
 */
function causeOf(error: unknown, { reason, softLimitMs }: Stop): unknown {
  const isDeliberate = error instanceof Reject || error instanceof Retry;
  const isUncharged = error instanceof StaleEpochError || isStoreUnavailable(error);
  if (reason !== SOFT_LIMIT || isDeliberate || isUncharged) return error;
  const message = `The task ran longer than its soft limit of ${softLimitMs} ms.`;
  return new Retry('TASK_TIME_LIMIT', message, { cause: error });
}

/** What comes from Redis is checked again before it runs. */
function readPayload(task: TaskFacts, text: string): never {
  const payload = parseJson(text);
  if (!fits(task.payload, payload)) {
    throw new Reject('TASK_PAYLOAD_INVALID', `The payload does not fit ${task.name}.`);
  }
  return payload as never;
}

/** What is no JSON is `undefined`, which fits no schema of a payload. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function encodeResult(task: TaskFacts, result: unknown): string {
  if (!fits(task.result, result)) {
    throw new Reject(
      'TASK_FAILED',
      `${task.name} returned something that does not fit its result schema.`,
    );
  }
  const text = JSON.stringify(result ?? null);
  if (isLongerThan(text, MAX_RESULT_BYTES)) {
    throw new Reject('TASK_RESULT_TOO_LARGE', ERRORS.TASK_RESULT_TOO_LARGE.message);
  }
  return text;
}
