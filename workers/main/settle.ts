/**
 * What becomes of a delivery: from how its run ended to what the queue is told and which event is emitted. The one place
 * where attempts and deaths are charged.
 */
import type { Counts, Delivery, Settlement } from '../../jobs/queue/index.ts';
import { Retry } from '../../jobs/framework/errors.ts';
import type { TaskFacts } from '../../jobs/framework/signature.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import { decide, type Failure } from '../retry-decision.ts';
import type { AttemptEnd } from '../protocol.ts';

/** Deaths of its thread or process while it ran alone after which a job is a dead letter. */
const MAX_DEATHS = 3;
/** Pause before a suspect runs again, in milliseconds. */
export const SUSPECT_DELAY_MS = 200;
/** Hard limit of a job whose task is unknown here, in milliseconds; it ends at once anyway. */
const DEFAULT_TIME_LIMIT_MS = 60_000;

export function timeLimitMs(task: TaskFacts | undefined): number {
  return task?.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS;
}

/** Whether a job runs with a thread to itself: that of an isolated task, or a suspect. */
export function runsAlone({ counts }: Delivery, task: TaskFacts | undefined): boolean {
  return counts.mark !== '' || (task?.isolated ?? false);
}

export interface Resolution {
  settlement: Settlement;
  emit(telemetry: Telemetry): void;
}

/** Ended by itself, inside its thread. */
export function judgeEnd({ job, counts }: Delivery, end: AttemptEnd): Resolution {
  switch (end.kind) {
    case 'succeeded':
      return {
        settlement: { kind: 'succeeded', result: end.result },
        emit: (telemetry) =>
          telemetry.emit('job.succeeded', {
            jobId: job.id,
            task: job.task,
            attempt: counts.attempts + 1,
            durationMs: end.durationMs,
          }),
      };
    case 'obsolete':
      return { settlement: { kind: 'succeeded', result: 'null' }, emit: () => undefined };
    case 'released':
      return release({ job, counts }, end.delayMs, end.reason);
    case 'retry':
      // It ended by itself, so it is no suspect any more.
      return retried({ job, counts: { ...counts, attempts: end.attempts, mark: '' } }, end);
    case 'failed':
      return failed({ job, counts: { ...counts, attempts: end.attempts } }, end);
  }
}

/** What has died as often as it may, the last time with its whole process, is not run again. */
export function judgeArrival(delivery: Delivery): Resolution | undefined {
  if (delivery.counts.deaths < MAX_DEATHS) return undefined;
  const message = 'The process ended each time it ran it.';
  return failed(delivery, { code: 'WORKER_DIED', message });
}

export interface Death {
  /** It ran over its hard limit, and its thread was ended for that. */
  overran: boolean;
  /** Another job on its thread did. */
  collateral: boolean;
  /** Nothing else ever ran on its thread. */
  alone: boolean;
  /** Its hard limit with all that it was extended by, in milliseconds. */
  limitMs: number;
  reason: string;
}

/** Its thread ended before it did. @param task undefined when it is unknown here. */
export function judgeDeath(
  delivery: Delivery,
  task: TaskFacts | undefined,
  { overran, collateral, alone, limitMs, reason }: Death,
): Resolution {
  if (overran) return judgeOverrun(delivery, task, limitMs);
  if (collateral) return release(delivery, 0, 'another job on its thread was ended');
  const deaths = delivery.counts.deaths + (alone ? 1 : 0);
  if (deaths >= MAX_DEATHS) return failed(delivery, { code: 'WORKER_DIED', message: reason });
  const counts: Counts = { ...delivery.counts, deaths, mark: 's' };
  return release({ ...delivery, counts }, SUSPECT_DELAY_MS, reason);
}

/** Retried like any other failure. The attempt ended by a known cause, so the job is no suspect of anything else. */
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
    settlement: { kind: 'failed', reason: { code, message } },
    emit: (telemetry) => telemetry.emit('job.failed', { ...about, code, reason: message, cause }),
  };
}

/** Back in line with nothing charged. One that ran alone stays a suspect, but no longer counts as running. */
export function release({ job, counts }: Delivery, delayMs: number, reason: string): Resolution {
  const back = { kind: 'back', delayMs } as const;
  const fields = { jobId: job.id, task: job.task, delayMs, reason };
  return {
    settlement: counts.mark === '' ? back : { ...back, counts: { ...counts, mark: 's' } },
    emit: (telemetry) => telemetry.emit('job.released', fields),
  };
}
