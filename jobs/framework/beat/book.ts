/** Schedules as operators see and edit them. Every change is stored with the operator's name. */
import { isDeepStrictEqual } from 'node:util';
import { transaction, type Pool, type Queryable } from '../../../db/stores/postgres.ts';
import {
  editSchedule,
  findChanges,
  findSlots,
  lockSchedule,
  readClock,
  readSchedules,
  recordChange,
  type Change,
  type PastSlot,
  type ScheduleEdits,
  type ScheduleRow,
} from '../../../db/tasks/schedules.ts';
import { didYouMean } from '../../../base/options/closest.ts';
import { AppError } from '../../../base/errors.ts';
import type { Telemetry } from '../../../base/telemetry/telemetry.ts';
import type { Enqueuer } from '../calls/enqueue.ts';
import { fire, type Fired } from './fire.ts';
import { planOf, type Plan, type Schedule } from './schedule.ts';
import { DEFAULT_TIMEZONE } from './timetable.ts';
import { upcoming, type Upcoming } from './upcoming.ts';

/** Upcoming and past slots shown per schedule. */
export const SHOWN = 5;
/** Manual changes shown per schedule. */
export const CHANGES_SHOWN = 20;
/** Schedules of an application, all of which `list` returns. */
export const MAX_SCHEDULES = 1000;

export interface ScheduleView {
  schedule: Schedule;
  plan: Plan;
  /** Why the schedule does not fire: its edits form no valid timetable any more. `plan` is then the one in code. */
  problem: string | undefined;
  row: ScheduleRow;
  next: Upcoming[];
  /** Newest first. */
  past: PastSlot[];
}

/** The fields to change; null restores the value defined in code. */
export type ScheduleChange = { [Key in keyof ScheduleEdits]?: ScheduleEdits[Key] | null };

export interface ScheduleBookDependencies {
  db: Pool;
  enqueuer: Enqueuer;
  schedules: readonly Schedule[];
  telemetry: Telemetry;
  /** Current time. Default: the clock of Postgres. */
  clock?: (db: Queryable) => Promise<Date>;
}

export class ScheduleBook {
  readonly #deps: Required<ScheduleBookDependencies>;

  /** @throws {RangeError} for more than `MAX_SCHEDULES`. */
  constructor(deps: ScheduleBookDependencies) {
    const { length } = deps.schedules;
    if (length > MAX_SCHEDULES) {
      throw new RangeError(`There are ${length} schedules: at most ${MAX_SCHEDULES} are allowed.`);
    }
    this.#deps = { clock: readClock, ...deps };
  }

  async list(): Promise<ScheduleView[]> {
    return this.#view(this.#deps.schedules);
  }

  /** @throws {AppError} `SCHEDULE_NOT_FOUND` */
  async find(name: string): Promise<ScheduleView> {
    const [view] = await this.#view([this.#scheduleOf(name)]);
    return view!;
  }

  /** The operators' changes, newest first. @throws {AppError} `SCHEDULE_NOT_FOUND` */
  async changes(name: string): Promise<Change[]> {
    return findChanges(this.#deps.db, this.#scheduleOf(name).name, CHANGES_SHOWN);
  }

  /**
   * Changes a schedule's timetable, or enables or disables it, for future slots.
   * @param by the operator's name, stored with the change.
   * @throws {AppError} `SCHEDULE_NOT_FOUND`, `SCHEDULE_INVALID`
   */
  async edit(name: string, change: ScheduleChange, by: string): Promise<ScheduleView> {
    const schedule = this.#scheduleOf(name);
    const { telemetry } = this.#deps;
    const edited = await this.#locked(schedule, async (tx, row, now) => {
      const { edits } = row;
      const wanted = withChange(edits, change);
      planOf(schedule, wanted);
      const changed = differing(schedule, wanted);
      // An edit without effect must not drop overdue slots.
      if (isDeepStrictEqual(changed, edits)) return undefined;
      await editSchedule(tx, name, changed, { by, now });
      await recordChange(tx, name, 'edited', { by, details: { from: edits, to: changed } });
      return { owedSince: owedSince(schedule, row, now) };
    });
    if (edited === undefined) return this.find(name);
    telemetry.emit('schedule.edited', { schedule: name, by });
    const { owedSince: since } = edited;
    if (since !== undefined) telemetry.emit('schedule.missed', { schedule: name, since });
    return this.find(name);
  }

  /**
   * Fires a schedule now, even a disabled one; its next slots stay as they are.
   * @returns the task id.
   * @throws {AppError} `SCHEDULE_NOT_FOUND`; `SCHEDULE_RUNNING` if `overlap` is `skip` and an earlier slot's task is unfinished
   */
  async run(name: string, by: string): Promise<string> {
    const schedule = this.#scheduleOf(name);
    const { taskId, dispatch, slot } = await this.#locked(schedule, async (tx, row, now) => {
      const { timetable } = readPlan(schedule, row.edits).plan;
      const due = { slot: now, firedAt: now, askedBy: by };
      let fired: Fired | undefined;
      for (let slotMs = now.getTime(); fired === undefined; slotMs--) {
        // Leave the millisecond of a regular slot to that slot.
        if (timetable.next(slotMs - 1) === slotMs) continue;
        due.slot = new Date(slotMs);
        fired = await fire(tx, this.#deps.enqueuer, schedule, due);
      }
      const { outcome, taskId: id } = fired;
      if (outcome === 'skipped')
        throw new AppError('SCHEDULE_RUNNING', { details: { task_id: id } });
      await recordChange(tx, name, 'run', { by, details: { task_id: id } });
      return { ...fired, slot: due.slot.toISOString() };
    });
    dispatch();
    this.#deps.telemetry.emit('schedule.fired', { schedule: name, slot, taskId, latenessMs: 0 });
    return taskId;
  }

  async #locked<T>(
    { name }: Schedule,
    work: (tx: Queryable, row: ScheduleRow, now: Date) => Promise<T>,
  ): Promise<T> {
    return transaction(this.#deps.db, async (tx) => {
      const { clock } = this.#deps;
      let row: ScheduleRow | undefined;
      // A process that does not know this schedule may delete its row in between.
      while (row === undefined) {
        await readSchedules(tx, [name], await clock(tx));
        row = await lockSchedule(tx, name, { isPatient: true });
      }
      return work(tx, row, await clock(tx));
    });
  }

  async #view(schedules: readonly Schedule[]): Promise<ScheduleView[]> {
    const { db, clock } = this.#deps;
    const now = await clock(db);
    const rows = await readSchedules(
      db,
      schedules.map(({ name }) => name),
      now,
    );
    return Promise.all(
      schedules.map(async (schedule) => {
        const row = rows.get(schedule.name)!;
        const { plan, problem } = readPlan(schedule, row.edits);
        const isKept = plan.isEnabled && problem === undefined;
        const next = isKept ? upcoming(plan.timetable, now, SHOWN) : [];
        const past = await findSlots(db, schedule.name, SHOWN);
        return { schedule, plan, problem, row, next, past };
      }),
    );
  }

  #scheduleOf(name: string): Schedule {
    const { schedules } = this.#deps;
    const schedule = schedules.find((known) => known.name === name);
    if (schedule !== undefined) return schedule;
    const names = schedules.map((known) => known.name);
    const message = `There is no schedule of that name.${didYouMean(name, names)}`;
    throw new AppError('SCHEDULE_NOT_FOUND', { message });
  }
}

/** Falls back to the plan in code when a release or a time zone update has invalidated an edit. */
function readPlan(
  schedule: Schedule,
  edits: ScheduleEdits,
): Pick<ScheduleView, 'plan' | 'problem'> {
  try {
    return { plan: planOf(schedule, edits), problem: undefined };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { plan: planOf(schedule, {}), problem: error.message };
  }
}

/** The first overdue slot that is unhandled. */
function owedSince(schedule: Schedule, { edits, handledTo }: ScheduleRow, now: Date) {
  const { plan, problem } = readPlan(schedule, edits);
  if (!plan.isEnabled || problem !== undefined) return undefined;
  const slotMs = plan.timetable.next(handledTo.getTime());
  const isOwed = slotMs !== undefined && slotMs <= now.getTime();
  return isOwed ? new Date(slotMs).toISOString() : undefined;
}

/** A new `cron` replaces `everyMs`, and the reverse. */
function withChange(edits: ScheduleEdits, change: ScheduleChange): ScheduleEdits {
  const replaced: ScheduleChange = { ...edits };
  if (change.cron != null) delete replaced.everyMs;
  if (change.everyMs != null) delete replaced.cron;
  const merged = Object.entries({ ...replaced, ...change });
  return Object.fromEntries(merged.filter(([, value]) => value !== null && value !== undefined));
}

/** Drops edits equal to the values in code. */
function differing({ enabled, timetable }: Schedule, edits: ScheduleEdits): ScheduleEdits {
  const code = { enabled, timezone: DEFAULT_TIMEZONE, ...timetable };
  const entries = Object.entries(edits) as [keyof ScheduleEdits, unknown][];
  return Object.fromEntries(entries.filter(([key, value]) => value !== code[key]));
}
