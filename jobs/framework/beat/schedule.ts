/**
 * What a schedule is: a call of a task, and when it is due.
 */
import type { ScheduleEdits } from '../../../db/tasks/schedules.ts';
import type { Signature } from '../signature.ts';
import { scheduleProblem } from './problem.ts';
import { Timetable, type TimetableOptions } from './timetable.ts';

const MAX_JITTER_MS = 86_400_000;

export interface ScheduleOptions extends TimetableOptions {
  /** Small letters, digits and dashes. A new name is a new schedule. */
  name: string;
  /** What is asked for at every slot: a durable task. */
  call: Signature;
  /**
   * What becomes of slots that nobody was there for. `none`: the newest one fires, if it is at most a minute late; `latest`: the
   * newest one fires and stands for the others; `all`: each one fires, the oldest first, which needs `overlap: 'allow'`.
   * Default `latest`.
   */
  catchUp?: 'none' | 'latest' | 'all' | undefined;
  /** At a slot whose predecessor's task has not ended: `skip` it, or `allow` both to run. Default `skip`. */
  overlap?: 'skip' | 'allow' | undefined;
  /** Each task starts up to this many milliseconds after its slot, the same for the same slot. Less than the slots are apart. Default 0. */
  jitterMs?: number | undefined;
  /** Whether it is kept at all, until an operator says otherwise. Default true. */
  enabled?: boolean | undefined;
}

export interface Schedule {
  readonly name: string;
  readonly call: Signature;
  readonly timetable: TimetableOptions;
  readonly catchUp: 'none' | 'latest' | 'all';
  readonly jitterMs: number;
  readonly overlap: 'skip' | 'allow';
  readonly enabled: boolean;
}

/** A schedule as it is kept. */
export interface Plan {
  isEnabled: boolean;
  /** As it was written. */
  written: TimetableOptions;
  timetable: Timetable;
}

/**
 * @throws {AppError} `SCHEDULE_INVALID` with what cannot be kept.
 */
export function defineSchedule({
  name,
  call,
  catchUp = 'latest',
  overlap = 'skip',
  jitterMs = 0,
  enabled = true,
  ...timetable
}: ScheduleOptions): Schedule {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) {
    throw scheduleProblem(
      'name',
      'it is 1 to 64 small letters, digits and dashes, a letter first.',
      {
        text: name,
        example: '"nightly-report".',
      },
    );
  }
  if (!call.task.durable) {
    throw scheduleProblem('call', `${call.task.name} is not durable, and a slot fires durably.`, {
      example: 'a task without durable: false.',
    });
  }
  if (!Number.isInteger(jitterMs) || jitterMs < 0 || jitterMs > MAX_JITTER_MS) {
    throw scheduleProblem('jitterMs', `it is a whole number from 0 to ${MAX_JITTER_MS}.`, {
      example: '60000 spreads starts over a minute.',
    });
  }
  if (catchUp === 'all' && overlap === 'skip') {
    throw scheduleProblem('catchUp', 'all of them cannot fire where a slot skips the next one.', {
      example: "catchUp: 'all' with overlap: 'allow'.",
    });
  }
  if (timetable.everyMs !== undefined && jitterMs >= timetable.everyMs) {
    throw scheduleProblem('jitterMs', 'it reaches into the next slot.', {
      example: 'less than everyMs.',
    });
  }
  const schedule = { name, call, timetable, catchUp, overlap, jitterMs, enabled };
  planOf(schedule, {});
  return schedule;
}

/** @throws {AppError} `SCHEDULE_INVALID` when the edits make no timetable. */
export function planOf({ timetable, enabled }: Schedule, edits: ScheduleEdits): Plan {
  const { enabled: isEnabled = enabled, timezone = timetable.timezone, cron, everyMs } = edits;
  const isOwn = cron === undefined && everyMs === undefined;
  const written = { ...timetable, timezone, ...(isOwn ? {} : { cron, everyMs }) };
  return { isEnabled, written, timetable: new Timetable(written) };
}
