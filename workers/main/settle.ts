/** Turns the outcome of a delivery into a settlement and an event. The only place that charges attempts and deaths. */
import type { Counts, Delivery, Settlement } from '../../jobs/queue/index.ts';
import { Retry } from '../../jobs/framework/errors.ts';
import type { TaskFacts } from '../../jobs/framework/signature.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import { decide, type Failure } from '../retry-decision.ts';
import type { AttemptEnd } from '../protocol.ts';
import { causeText } from './cause-text.ts';

/** Deaths of its thread or process, while running alone, that make a job a dead letter. */
const MAX_DEATHS = 3;
/** Retry delay of a suspect, in milliseconds. */
export const SUSPECT_DELAY_MS = 200;
/** Hard limit of an unknown task, in milliseconds; its job fails at once anyway. */
const DEFAULT_TIME_LIMIT_MS = 60_000;

export function timeLimitMs(task: TaskFacts | undefined): number {
  return task?.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS;
}

/** Whether a job needs a thread to itself: it is isolated or a suspect. */
export function runsAlone({ counts }: Delivery, task: TaskFacts | undefined): boolean {
  return counts.mark !== '' || (task?.isolated ?? false);
}

export interface Resolution {
  settlement: Settlement;
  emit(telemetry: Telemetry): void;
}

/** The job ended inside its thread. @param ranMs how long its handler ran, in milliseconds. */
export function judgeEnd({ job, counts }: Delivery, end: AttemptEnd, ranMs = 0): Resolution {
  switch (end.kind) {
    case 'succeeded':
      return {
        settlement: {
          kind: 'succeeded',
          result: end.result,
          counts: { ...counts, attempts: counts.attempts + 1 },
        },
        emit: (telemetry) =>
          telemetry.emit('job.succeeded', {
            jobId: job.id,
            task: job.task,
            attempt: counts.attempts + 1,
            durationMs: ranMs,
          }),
      };
    case 'obsolete':
      return { settlement: { kind: 'succeeded', result: 'null' }, emit: () => undefined };
    case 'released':
      return release({ job, counts }, end.delayMs, end.reason);
    case 'snoozed':
      // Like a retry, it proves that the job is no suspect.
      return {
        settlement: {
          kind: 'back',
          delayMs: end.delayMs,
          counts: { ...counts, mark: '', snoozes: end.snoozes },
        },
        emit: (telemetry) =>
          telemetry.emit('job.released', {
            jobId: job.id,
            task: job.task,
            delayMs: end.delayMs,
            reason: `it snoozes, ${end.snoozes} times so far`,
          }),
      };
    case 'retry':
      // A job that ends inside its thread is no longer a suspect.
      return retried({ job, counts: { ...counts, attempts: end.attempts, mark: '' } }, end);
    case 'failed':
      return failed({ job, counts: { ...counts, attempts: end.attempts } }, end);
  }
}

/** A job at its limit of deaths, the last one with its whole process, does not run again. */
export function judgeArrival(delivery: Delivery): Resolution | undefined {
  if (delivery.counts.deaths < MAX_DEATHS) return undefined;
  const message = 'The process died each time it ran the job.';
  return failed(delivery, { code: 'WORKER_DIED', message });
}

export interface Death {
  /** The job exceeded its hard limit, so the worker ended its thread. */
  overran: boolean;
  /** Another job on the thread exceeded its limit. */
  collateral: boolean;
  /** No other job ran on the thread. */
  alone: boolean;
  /** Hard limit including extensions, in milliseconds. */
  limitMs: number;
  reason: string;
}

/** @param task undefined when it is unknown here. */
export function judgeDeath(
  delivery: Delivery,
  task: TaskFacts | undefined,
  { overran, collateral, alone, limitMs, reason }: Death,
): Resolution {
  if (overran) return judgeOverrun(delivery, task, limitMs);
  if (collateral) return release(delivery, 0, 'another job on its thread was ended');
  const deaths = delivery.counts.deaths + (alone ? 1 : 0);
  const counts: Counts = { ...delivery.counts, deaths, mark: 's' };
  const suspect = { ...delivery, counts };
  if (deaths >= MAX_DEATHS) return failed(suspect, { code: 'WORKER_DIED', message: reason });
  return release(suspect, SUSPECT_DELAY_MS, reason);
}

/** Retried like any other failure. The cause is known, so the job is no suspect. */
function judgeOverrun(
  { job, counts }: Delivery,
  task: TaskFacts | undefined,
  limitMs: number,
): Resolution {
  const run = { attempts: counts.attempts, askedMs: job.createdAtMs };
  const attempts = run.attempts + 1;
  const code = 'TASK_TIME_LIMIT';
  const message = `The task ran longer than ${limitMs} ms.`;
  const end = task && decide(new Retry(code, message), run, task);
  return judgeEnd(
    { job, counts },
    end?.kind === 'retry' ? { ...end, attempts } : { kind: 'failed', attempts, code, message },
  );
}

function retried({ job, counts }: Delivery, failure: Failure & { delayMs: number }): Resolution {
  const { code, message: reason, cause, delayMs } = failure;
  const about = { jobId: job.id, task: job.task, attempt: counts.attempts };
  const fields = { ...about, delayMs, code, reason, cause };
  return {
    settlement: { kind: 'back', delayMs, counts },
    emit: (telemetry) => telemetry.emit('job.retrying', fields),
  };
}

function failed({ job, counts }: Delivery, { code, message, cause }: Failure): Resolution {
  const about = { jobId: job.id, task: job.task, attempt: counts.attempts };
  return {
    settlement: {
      kind: 'failed',
      reason: { code, message, cause: cause && causeText(cause) },
      counts,
    },
    emit: (telemetry) => telemetry.emit('job.failed', { ...about, code, reason: message, cause }),
  };
}

/** Returns a job uncharged. A job that ran alone stays a suspect but is no longer marked as running. */
export function release({ job, counts }: Delivery, delayMs: number, reason: string): Resolution {
  const back = { kind: 'back', delayMs } as const;
  const fields = { jobId: job.id, task: job.task, delayMs, reason };
  return {
    settlement: counts.mark === '' ? back : { ...back, counts: { ...counts, mark: 's' } },
    emit: (telemetry) => telemetry.emit('job.released', fields),
  };
}
