/**
 * Schedules as operators see and change them. Whatever they change is written down with their name, and survives restarts.
 */
import { transaction, type Pool, type Queryable } from '../../db/postgres.ts';
import {
  editSchedule,
  findSlots,
  lockSchedule,
  readClock,
  readSchedules,
  recordChange,
  type PastSlot,
  type ScheduleEdits,
  type ScheduleRow,
} from '../../db/schedules.ts';
import { didYouMean } from '../../closest.ts';
import { AppError } from '../../errors.ts';
import type { Telemetry } from '../../telemetry.ts';
import type { Submitter } from '../submit.ts';
import { fire } from './fire.ts';
import { planOf, type Plan, type Schedule } from './schedule.ts';
import { upcoming, type Upcoming } from './upcoming.ts';

/** Slots shown of each schedule, those to come and those that were. */
const SHOWN = 5;

export interface ScheduleView {
  schedule: Schedule;
  plan: Plan;
  row: ScheduleRow;
  next: Upcoming[];
  /** The newest first. */
  past: PastSlot[];
}

/** What to change; null puts back what the code says. */
export type ScheduleChange = { [Key in keyof ScheduleEdits]?: ScheduleEdits[Key] | null };

export interface ScheduleBookDependencies {
  db: Pool;
  submitter: Submitter;
  schedules: readonly Schedule[];
  telemetry: Telemetry;
  /** What time it is. Default: what Postgres says. */
  clock?: (db: Queryable) => Promise<Date>;
}

export class ScheduleBook {
  readonly #deps: Required<ScheduleBookDependencies>;

  constructor(deps: ScheduleBookDependencies) {
    this.#deps = { clock: readClock, ...deps };
  }

  /** All schedules, in the order of the code. */
  async list(): Promise<ScheduleView[]> {
    return this.#view(this.#deps.schedules);
  }

  /** @throws {AppError} `SCHEDULE_NOT_FOUND` */
  async find(name: string): Promise<ScheduleView> {
    const [view] = await this.#view([this.#scheduleOf(name)]);
    return view!;
  }

  /**
   * Changes when a schedule is due, or whether it is kept; from then on, for what comes.
   * @param by who does so, as it is written down.
   * @throws {AppError} `SCHEDULE_NOT_FOUND`, `SCHEDULE_INVALID`
   */
  async edit(name: string, change: ScheduleChange, by: string): Promise<ScheduleView> {
    const schedule = this.#scheduleOf(name);
    await this.#locked(schedule, async (tx, { edits }, now) => {
      const changed = withChange(edits, change);
      planOf(schedule, changed);
      await editSchedule(tx, name, changed, { by, now });
      await recordChange(tx, name, 'edited', { by, details: { from: edits, to: changed } });
    });
    this.#deps.telemetry.emit('schedule.edited', { schedule: name, by });
    return this.find(name);
  }

  /**
   * Starts the task of a schedule now, also of one that is paused. When it is due stays as it was.
   * @returns the id of the task.
   * @throws {AppError} `SCHEDULE_NOT_FOUND`; `SCHEDULE_RUNNING` where `overlap` is `skip` and the task of an earlier slot has not
   * ended
   */
  async run(name: string, by: string): Promise<string> {
    const schedule = this.#scheduleOf(name);
    const { taskId, dispatch, slot } = await this.#locked(schedule, async (tx, _, now) => {
      const due = { slot: now, firedAt: now, askedBy: by };
      let fired = await fire(tx, this.#deps.submitter, schedule, due);
      while (fired === undefined) {
        // The millisecond of another slot.
        due.slot = new Date(due.slot.getTime() + 1);
        fired = await fire(tx, this.#deps.submitter, schedule, due);
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
      await readSchedules(tx, [name], await clock(tx));
      const row = await lockSchedule(tx, name, { isPatient: true });
      return work(tx, row!, await clock(tx));
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
        const plan = planOf(schedule, row.edits);
        const next = plan.isEnabled ? upcoming(plan.timetable, now, SHOWN) : [];
        return { schedule, plan, row, next, past: await findSlots(db, schedule.name, SHOWN) };
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

/** A new `cron` replaces an interval, and the other way about. */
function withChange(edits: ScheduleEdits, change: ScheduleChange): ScheduleEdits {
  const replaced: ScheduleChange = { ...edits };
  if (change.cron != null) delete replaced.everyMs;
  if (change.everyMs != null) delete replaced.cron;
  const merged = Object.entries({ ...replaced, ...change });
  return Object.fromEntries(merged.filter(([, value]) => value !== null && value !== undefined));
}
