/**
 * One attempt at one job, inside a thread: check, start, run, record the outcome.
 */
import { isPostgresAway, type Pool } from '../../db/stores/postgres.ts';
import { failTask, findDelay, retryTask, startTask, succeedTask } from '../../db/tasks/attempts.ts';
import { StaleEpochError, type Fence } from '../../db/tasks/fence.ts';
import { ERRORS } from '../../base/errors.ts';
import { fits } from '../../jobs/framework/calls/read-call.ts';
import { isLongerThan, MAX_RESULT_BYTES } from '../../jobs/queue/index.ts';
import type { Task } from '../../jobs/framework/define.ts';
import { Reject, Retry } from '../../jobs/framework/retry.ts';
import type { TaskFacts } from '../../jobs/framework/signature.ts';
import { describeError } from '../../base/telemetry/describe-error.ts';
import { buildContext, buildDurableContext, type ThreadScope } from './context.ts';
import { decide, isStoreAway, type Decision, type RunSoFar } from '../decide.ts';
import type { AbortReason, AttemptOutcome, ThreadJob } from '../protocol.ts';
import type { Stop } from './stop.ts';

const SOFT_LIMIT: AbortReason = 'soft time limit';

/** Runs a job to its outcome; never throws. */
export async function attempt<X>(
  job: ThreadJob,
  scope: ThreadScope<X>,
  stop: Stop,
): Promise<AttemptOutcome> {
  const startedMs = performance.now();
  const task = scope.tasks.find(job.task);
  if (task === undefined) {
    const { code, message } = new Reject('TASK_UNKNOWN', `No task is called ${job.task}.`);
    return { kind: 'failed', attempts: job.attempts, code, message };
  }
  const outcome = task.durable
    ? await attemptDurable(task, job, scope, stop)
    : await attemptTransient(task, job, scope, stop);
  return outcome.kind === 'succeeded'
    ? { ...outcome, durationMs: performance.now() - startedMs }
    : outcome;
}

type DurableTask<X> = Extract<Task<X>, { durable: true }>;
type TransientTask<X> = Extract<Task<X>, { durable: false }>;

/** The row is the truth: it says whether there is anything to run, how often it failed, and how it ended. */
async function attemptDurable<X>(
  task: DurableTask<X>,
  job: ThreadJob,
  scope: ThreadScope<X>,
  stop: Stop,
): Promise<AttemptOutcome> {
  const { db } = scope;
  let claim: Fence | undefined;
  let run: RunSoFar = { attempts: job.attempts, askedMs: job.createdAtMs };
  try {
    const start = await startTask(db, job.id, job.attempts);
    if (start === undefined) return nothingToRun(await findDelay(db, job.id));
    claim = { id: job.id, epoch: start.epoch };
    run = { attempts: start.attempts, askedMs: start.requestedAt.getTime() };
    const facts = {
      id: job.id,
      attempt: run.attempts + 1,
      delivery: Number(start.epoch),
      maxRetries: task.maxRetries,
      queue: job.queue,
      headers: job.headers,
      userId: start.userId ?? undefined,
    };
    const context = buildDurableContext(buildContext(scope, facts, task.name, stop), scope, claim);
    const result = await task.run(readPayload(task, start.payload), context);
    await succeedTask(db, claim, encodeResult(task, result));
    // The result is in the row: Redis need not have it too.
    return { kind: 'succeeded', result: 'null', durationMs: 0 };
  } catch (error) {
    const decision = aborted(stop) ?? decide(causeOf(error, stop), run, task);
    return record(decision, claim, run, db);
  }
}

function nothingToRun(delayMs: number | undefined): AttemptOutcome {
  return delayMs === undefined
    ? { kind: 'obsolete', reason: 'the task is finished or unknown' }
    : { kind: 'released', delayMs, reason: 'it was put off' };
}

/**
 * Writes a failure to Postgres before the queue hears of it: in the words of the catalogue when Postgres refuses its own, as it
 * does a NUL character.
 */
async function record(
  decision: Decision,
  claim: Fence | undefined,
  run: RunSoFar,
  db: Pool,
): Promise<AttemptOutcome> {
  if (claim === undefined || decision.kind === 'released') return charge(decision, run);
  try {
    if (decision.kind === 'failed') await failTask(db, claim, decision);
    else await retryTask(db, claim, decision, decision.delayMs);
    return charge(decision, run);
  } catch (error) {
    const { message } = ERRORS.TASK_FAILED;
    if (error instanceof StaleEpochError) return notStored(error.message);
    if (isPostgresAway(error) || decision.message === message) {
      return notStored('the outcome could not be stored');
    }
    const cause = describeError(new Error(decision.message, { cause: error }));
    const plain: Decision = { ...decision, code: 'TASK_FAILED', message, cause };
    return record(plain, claim, run, db);
  }
}

function notStored(reason: string): AttemptOutcome {
  return { kind: 'released', delayMs: 2000, reason };
}

async function attemptTransient<X>(
  task: TransientTask<X>,
  job: ThreadJob,
  scope: ThreadScope<X>,
  stop: Stop,
): Promise<AttemptOutcome> {
  const { id, queue, attempts } = job;
  const run = { attempts, askedMs: job.createdAtMs };
  const facts = {
    id,
    attempt: attempts + 1,
    delivery: undefined,
    maxRetries: task.maxRetries,
    queue,
    headers: job.headers,
    userId: undefined,
  };
  try {
    const result = await task.run(
      readPayload(task, job.payload),
      buildContext(scope, facts, task.name, stop),
    );
    return { kind: 'succeeded', result: encodeResult(task, result), durationMs: 0 };
  } catch (error) {
    return charge(aborted(stop) ?? decide(causeOf(error, stop), run, task), run);
  }
}

function charge(decision: Decision, { attempts }: RunSoFar): AttemptOutcome {
  const isCharged = decision.kind === 'retry' || decision.kind === 'failed';
  return isCharged ? { ...decision, attempts: attempts + 1 } : decision;
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
  const isUncharged = error instanceof StaleEpochError || isStoreAway(error);
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
