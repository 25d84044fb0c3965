/** One attempt at one job: open, handle, settle. */
import { ERRORS } from '../../base/errors.ts';
import { isInstance } from '../../base/thrown.ts';
import { Reject, Retry, Snooze } from '../../jobs/framework/errors.ts';
import type { Task } from '../../jobs/framework/define.ts';
import { readPolicy } from '../../jobs/framework/policy.ts';
import { fits } from '../../jobs/framework/schema.ts';
import type { TaskFacts } from '../../jobs/framework/signature.ts';
import { isLongerThan, MAX_RESULT_BYTES } from '../../jobs/queue/index.ts';
import { decide, isUncharged, type Decision, type RunSoFar } from '../retry-decision.ts';
import type { AbortReason, AttemptEnd, ThreadJob } from '../protocol.ts';
import type { Channels, ThreadScope } from './context.ts';
import { charge, openDurable, openTransient, type Opened } from './open.ts';
import { Reports } from './reports.ts';
import { Stop } from './stop.ts';

type Released = Extract<Decision, { kind: 'released' }>;

const SOFT_LIMIT: AbortReason = 'soft time limit';

/** Policy of a task that is not registered here and whose row could not be read. */
const UNKNOWN = readPolicy({ name: 'unknown', maxRetries: 0 });

/** One attempt at one job, in three parts, since only the second needs a slot of its thread. No method throws. */
export class Attempt<X> {
  readonly #job: ThreadJob;
  readonly #scope: ThreadScope<X>;
  readonly #channels: Channels;
  readonly #named: Task<X> | undefined;
  #opened: Opened | undefined;
  #outcome: { result: string } | { error: unknown } | undefined;
  #ranMs: number | undefined;

  constructor(job: ThreadJob, scope: ThreadScope<X>, stop: Stop) {
    this.#job = job;
    this.#scope = scope;
    this.#channels = { stop, reports: new Reports(job, scope.tell) };
    this.#named = scope.tasks.find(job.task);
  }

  /** How long its handler ran, in milliseconds; undefined before it has. */
  get ranMs(): number | undefined {
    return this.#ranMs;
  }

  /** @returns an outcome when there is nothing to run. */
  async open(): Promise<AttemptEnd | undefined> {
    const [job, scope, channels, named] = [this.#job, this.#scope, this.#channels, this.#named];
    try {
      const opened =
        named?.durable === false
          ? openTransient(named, job, scope, channels)
          : await openDurable(job, scope, channels);
      if ('kind' in opened) return opened;
      this.#opened = opened;
      const { reason } = aborted(channels.stop) ?? {};
      return reason === undefined ? undefined : await this.giveBack(reason);
    } catch (error) {
      const run = { attempts: job.attempts, askedMs: job.createdAtMs };
      return charge(this.#judge(error, run, named), run);
    }
  }

  /** Runs the handler, within the soft time limit of its task. Whoever can end the thread keeps the hard one. */
  async handle(): Promise<void> {
    const { task, payload, previous, start } = this.#opened!;
    const { stop } = this.#channels;
    const startedMs = performance.now();
    if (task.softTimeLimitMs !== undefined) stop.start(task.softTimeLimitMs);
    try {
      const value = await start(readPayload(task, payload, previous));
      this.#outcome = { result: encodeResult(task, value) };
    } catch (error) {
      this.#outcome = { error };
    }
    stop.end();
    this.#ranMs = performance.now() - startedMs;
  }

  /** Stores the outcome of a durable task. */
  async settle(): Promise<AttemptEnd> {
    const { task, run, succeed, settle } = this.#opened!;
    const outcome = this.#outcome!;
    try {
      if ('error' in outcome) throw outcome.error;
      return { kind: 'succeeded', result: await succeed(outcome.result) };
    } catch (error) {
      return await settle(this.#judge(error, run, task));
    } finally {
      this.#channels.reports.end();
    }
  }

  /** Undoes `open`, so that another thread may run the job. */
  async giveBack(reason: string): Promise<AttemptEnd> {
    await this.#opened!.leave();
    return { kind: 'released', delayMs: 0, reason };
  }

  #judge(error: unknown, run: RunSoFar, task: TaskFacts | undefined): Decision {
    const { stop } = this.#channels;
    return aborted(stop) ?? decide(causeOf(error, stop), run, task ?? UNKNOWN);
  }
}

/** A whole attempt. Never throws. */
export async function attempt<X>(
  job: ThreadJob,
  scope: ThreadScope<X>,
  stop = new Stop(),
): Promise<AttemptEnd> {
  const whole = new Attempt(job, scope, stop);
  const end = await whole.open();
  if (end !== undefined) return end;
  await whole.handle();
  return whole.settle();
}

/** An external stop is not a failure. */
function aborted({ reason }: Stop): Released | undefined {
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
function readPayload(task: TaskFacts, text: string, previous: Opened['previous']): never {
  const payload = parseJson(text);
  if (previous !== undefined && typeof payload === 'object' && payload !== null) {
    Object.assign(payload, { previous: previous.output });
  }
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
