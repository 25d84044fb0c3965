/** Schedule definitions: a call of a durable task, and the slots at which it is due. */
import type { ScheduleEdits } from '../../../db/tasks/schedules.ts';
import type { Signature } from '../signature.ts';
import { scheduleProblem } from './problem.ts';
import { Timetable, type TimetableOptions } from './timetable.ts';

const MAX_JITTER_MS = 86_400_000;

export interface ScheduleOptions extends TimetableOptions {
  /** 1 to 64 lower-case letters, digits and dashes, starting with a letter. Renaming creates a new schedule. */
  name: string;
  /** The durable call to enqueue at every slot. */
  call: Signature;
  /**
   * How to handle slots missed while no scheduler ran. `none`: fire the newest if it is at most a minute late; `latest`: fire the
   * newest in place of all; `all`: fire each, oldest first, which requires `overlap: 'allow'`. Default `latest`.
   */
  catchUp?: 'none' | 'latest' | 'all' | undefined;
  /** When the previous slot's task is unfinished: `skip` the slot, or `allow` both to run. Default `skip`. */
  overlap?: 'skip' | 'allow' | undefined;
  /** Longest delay of a start after its slot, in milliseconds; fixed per slot, less than the interval. Default 0. */
  jitterMs?: number | undefined;
  /** Whether the schedule fires; an operator can override it. Default true. */
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

/** A schedule with its edits applied. */
export interface Plan {
  isEnabled: boolean;
  written: TimetableOptions;
  timetable: Timetable;
}

/** @throws {AppError} `SCHEDULE_INVALID` naming the invalid option. */
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
      'it must be 1 to 64 lower-case letters, digits and dashes, starting with a letter.',
      {
        text: name,
        example: '"nightly-report".',
      },
    );
  }
  if (!call.task.durable) {
    throw scheduleProblem('call', `${call.task.name} is not durable, as a schedule requires.`, {
      example: 'a task without durable: false.',
    });
  }
  if (!Number.isInteger(jitterMs) || jitterMs < 0 || jitterMs > MAX_JITTER_MS) {
    throw scheduleProblem('jitterMs', `it must be a whole number from 0 to ${MAX_JITTER_MS}.`, {
      example: '60000 spreads starts over a minute.',
    });
  }
  if (catchUp === 'all' && overlap === 'skip') {
    throw scheduleProblem('catchUp', "missed slots cannot all fire with overlap: 'skip'.", {
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

/** @throws {AppError} `SCHEDULE_INVALID` when the edits form no valid timetable. */
export function planOf({ timetable, enabled }: Schedule, edits: ScheduleEdits): Plan {
  const { enabled: isEnabled = enabled, timezone = timetable.timezone, cron, everyMs } = edits;
  const isOwn = cron === undefined && everyMs === undefined;
  const written = { ...timetable, timezone, ...(isOwn ? {} : { cron, everyMs }) };
  return { isEnabled, written, timetable: new Timetable(written) };
}
