/** One attempt at one job: open, run, settle. */
import { ERRORS } from '../../base/errors.ts';
import { isInstance } from '../../base/thrown.ts';
import { Reject, Retry, Snooze } from '../../jobs/framework/errors.ts';
import { readPolicy } from '../../jobs/framework/policy.ts';
import { fits } from '../../jobs/framework/schema.ts';
import type { TaskFacts } from '../../jobs/framework/signature.ts';
import { isLongerThan, MAX_RESULT_BYTES } from '../../jobs/queue/index.ts';
import { decide, isUncharged, type Decision } from '../retry-decision.ts';
import type { AbortReason, AttemptEnd, ThreadJob } from '../protocol.ts';
import type { ThreadScope } from './context.ts';
import { charge, openDurable, openTransient, type Opened } from './open.ts';
import { Reports } from './reports.ts';
import { Stop } from './stop.ts';

const SOFT_LIMIT: AbortReason = 'soft time limit';

/** Policy of a task that is not registered here and whose row could not be read. */
const UNKNOWN = readPolicy({ name: 'unknown', maxRetries: 0 });

/** Never throws. */
export async function attempt<X>(
  job: ThreadJob,
  scope: ThreadScope<X>,
  stop: Stop,
): Promise<AttemptEnd> {
  const startedMs = performance.now();
  const named = scope.tasks.find(job.task);
  const reports = new Reports(job, scope.tell);
  let opened: Opened | undefined;
  try {
    const begun =
      named?.durable === false
        ? openTransient(named, job, scope, { stop, reports })
        : await openDurable(job, scope, { stop, reports });
    if ('kind' in begun) return begun;
    opened = begun;
    const { task } = opened;
    const value = await opened.start(readPayload(task, opened.payload));
    const result = await opened.succeed(encodeResult(task, value));
    return { kind: 'succeeded', result, durationMs: performance.now() - startedMs };
  } catch (error) {
    const run = opened?.run ?? { attempts: job.attempts, askedMs: job.createdAtMs };
    const decision =
      aborted(stop) ?? decide(causeOf(error, stop), run, opened?.task ?? named ?? UNKNOWN);
    return opened === undefined ? charge(decision, run) : await opened.settle(decision);
  } finally {
    reports.end();
  }
}

/** An attempt that keeps the soft time limit of its task. Whoever can end the thread keeps the hard one. */
export async function limitedAttempt<X>(
  job: ThreadJob,
  scope: ThreadScope<X>,
  stop = new Stop(),
): Promise<AttemptEnd> {
  const limitMs = scope.tasks.find(job.task)?.softTimeLimitMs;
  if (limitMs !== undefined) stop.start(limitMs);
  try {
    return await attempt(job, scope, stop);
  } finally {
    stop.end();
  }
}

/** An external stop is not a failure. */
function aborted({ reason }: Stop): Decision | undefined {
  if (reason === undefined || reason === SOFT_LIMIT) return undefined;
  return { kind: 'released', delayMs: 0, reason };
}

/**
 * After a soft limit, reports the limit instead of the error the abort caused, except for errors the task threw on
 * purpose and errors that are not its fault.
 */
function causeOf(error: unknown, { reason, softLimitMs }: Stop): unknown {
  const isDeliberate =
    isInstance(error, Reject) || isInstance(error, Retry) || isInstance(error, Snooze);
  if (reason !== SOFT_LIMIT || isDeliberate || isUncharged(error)) return error;
  const message = `The task ran longer than its soft limit of ${softLimitMs} ms.`;
  return new Retry('TASK_TIME_LIMIT', message, { cause: error });
}

/** Payloads from Redis are validated again before they run. */
function readPayload(task: TaskFacts, text: string): never {
  const payload = parseJson(text);
  if (!fits(task.payload, payload)) {
    throw new Reject(
      'TASK_PAYLOAD_INVALID',
      `The payload does not match the schema of ${task.name}.`,
    );
  }
  return payload as never;
}

/** Invalid JSON becomes `undefined`, which no payload schema accepts. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function encodeResult(task: TaskFacts, result: unknown): string {
  const text = toJson(task, result);
  if (isLongerThan(text, MAX_RESULT_BYTES)) {
    throw new Reject('TASK_RESULT_TOO_LARGE', ERRORS.TASK_RESULT_TOO_LARGE.message);
  }
  return text;
}

/** @throws {Reject} also when reading the result throws, or JSON has no such value. */
function toJson(task: TaskFacts, result: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    if (!fits(task.result, result)) {
      throw new Reject('TASK_FAILED', `The result of ${task.name} does not match its schema.`);
    }
    text = JSON.stringify(result ?? null);
  } catch (error) {
    if (isInstance(error, Reject)) throw error;
    cause = error;
  }
  if (text !== undefined) return text;
  throw new Reject('TASK_FAILED', `JSON cannot hold the result of ${task.name}.`, { cause });
}
