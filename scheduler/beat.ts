/**
 * Fires what is due. Any number of processes may do so: a slot is dealt with under the lock of its schedule, in one transaction
 * with the task it accepts, so that it happens once or not at all.
 */
import { isLockTimeout, transaction, type Pool, type Queryable } from '../db/stores/postgres.ts';
import {
  lockSchedule,
  markHandled,
  readClock,
  readSchedules,
  rewindSchedule,
  type ScheduleRow,
} from '../db/tasks/schedules.ts';
import { fire, type Due, type Fired } from '../jobs/framework/beat/fire.ts';
import { planOf, type Schedule } from '../jobs/framework/beat/schedule.ts';
import type { Timetable } from '../jobs/framework/beat/timetable.ts';
import type { Enqueuer } from '../jobs/framework/calls/enqueue.ts';
import { Loop } from '../base/service.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';

/** Longest time between two looks, in milliseconds: what was edited, or another process let fall, is seen by then. */
const LOOK_MS = 1000;
/** How long to leave a schedule to the process that is at it, in milliseconds. */
const LOCKED_MS = 50;
/** Slots of a schedule dealt with in one transaction. */
const PAGE = 100;
/** What is later than this, in milliseconds, was missed. */
const LATE_MS = 60_000;

export interface BeatOptions {
  db: Pool;
  enqueuer: Enqueuer;
  schedules: readonly Schedule[];
  telemetry: Telemetry;
  /** What time it is. Default: what Postgres says, so that all processes agree. */
  clock?: (db: Queryable) => Promise<Date>;
}

export function createBeat(options: BeatOptions): Loop {
  return new Loop({
    name: 'beat',
    maxErrorDelayMs: LOOK_MS,
    // Not spread: it sleeps until something is due.
    random: () => 0,
    tick: () => fireDue(options),
    onError: (error) => options.telemetry.emit('loop.failed', { loop: 'beat', error }),
  });
}

/** One round. Returns how long nothing is due, in milliseconds. */
export async function fireDue(options: BeatOptions): Promise<number> {
  const { db, schedules, telemetry, clock = readClock } = options;
  const names = schedules.map(({ name }) => name);
  const now = await clock(db);
  const rows = await readSchedules(db, names, now);
  let restMs = LOOK_MS;
  for (const schedule of schedules) {
    try {
      const row = rows.get(schedule.name);
      if (row !== undefined) restMs = Math.min(restMs, await attend(schedule, row, now, options));
    } catch (error) {
      // One that cannot be kept holds up no other.
      telemetry.emit('loop.failed', { loop: `beat of ${schedule.name}`, error });
    }
  }
  return restMs;
}

/** @returns how long nothing of it is due, in milliseconds. */
async function attend(
  schedule: Schedule,
  row: ScheduleRow,
  now: Date,
  options: BeatOptions,
): Promise<number> {
  const { isEnabled, timetable } = planOf(schedule, row.edits);
  const nextMs = isEnabled ? timetable.next(row.handledTo.getTime()) : undefined;
  const restMs = nextMs === undefined ? LOOK_MS : nextMs - now.getTime();
  if (restMs <= 0) {
    const round = await fireSlots(schedule, options);
    if (round === undefined) return LOCKED_MS;
    tell(schedule.name, round, options.telemetry);
    return 0;
  }
  const aheadMs = row.handledTo.getTime() - now.getTime();
  if (aheadMs > LATE_MS) {
    const { db, telemetry } = options;
    if (await rewindSchedule(db, row.name, { now, toleranceMs: LATE_MS })) {
      telemetry.emit('schedule.rewound', { schedule: row.name, byMs: aheadMs });
    }
  } else if (-aheadMs > 2 * LATE_MS) {
    // Not up to now: another process may just be at a slot that only its code knows.
    await markHandled(options.db, row.name, new Date(now.getTime() - LATE_MS));
  }
  return restMs;
}

interface Round {
  fired: { due: Due; came: Fired }[];
  /** The first slot that does not fire, as it was missed. */
  missedSince: Date | undefined;
}

/** @returns undefined while another process is at it; should that one die, its lock goes with it. */
async function fireSlots(
  schedule: Schedule,
  { db, enqueuer, clock = readClock }: BeatOptions,
): Promise<Round | undefined> {
  const round = transaction(db, async (tx) => {
    const row = await lockSchedule(tx, schedule.name);
    if (row === undefined) return undefined;
    // A worker may hold the task of an earlier slot: that must not keep the other schedules waiting.
    await tx.query(`SET LOCAL lock_timeout = '${LOCKED_MS}ms'`);
    // Read again: it may have been edited since.
    const { isEnabled, timetable } = planOf(schedule, row.edits);
    const nextMs = isEnabled ? timetable.next(row.handledTo.getTime()) : undefined;
    const firedAt = await clock(tx);
    if (nextMs === undefined || nextMs > firedAt.getTime())
      return { fired: [], missedSince: undefined };
    const slots = slotsOf(schedule, timetable, { after: row.handledTo, until: firedAt });
    const fired: Round['fired'] = [];
    for (const slot of slots) {
      const due = { ...slot, firedAt };
      const came = await fire(tx, enqueuer, schedule, due);
      if (came !== undefined) fired.push({ due, came });
    }
    // No further: a process with other code may know of slots in between.
    const handledTo = slots.at(-1)?.slot ?? new Date(firedAt.getTime() - LATE_MS - 1);
    await markHandled(tx, schedule.name, handledTo);
    const [first] = slots;
    return { fired, missedSince: first === undefined ? new Date(nextMs) : first.missedSince };
  });
  return round.catch((error: unknown) => {
    if (isLockTimeout(error)) return undefined;
    throw error;
  });
}

/** Slots after one time and not after another, as the schedule wants to be caught up with; a page of them at most. */
function slotsOf(
  { catchUp }: Schedule,
  timetable: Timetable,
  { after, until }: { after: Date; until: Date },
): Omit<Due, 'firedAt'>[] {
  const [afterMs, untilMs] = [after.getTime(), until.getTime()];
  if (catchUp === 'all') {
    const slots: Omit<Due, 'firedAt'>[] = [];
    let slotMs = timetable.next(afterMs);
    while (slotMs !== undefined && slotMs <= untilMs && slots.length < PAGE) {
      slots.push({ slot: new Date(slotMs) });
      slotMs = timetable.next(slotMs);
    }
    return slots;
  }
  const sinceMs = catchUp === 'latest' ? afterMs : Math.max(afterMs, untilMs - LATE_MS - 1);
  const slotMs = timetable.last(sinceMs, untilMs);
  if (slotMs === undefined) return [];
  const firstMs = timetable.next(afterMs)!;
  return [
    { slot: new Date(slotMs), missedSince: firstMs < slotMs ? new Date(firstMs) : undefined },
  ];
}

function tell(schedule: string, { fired, missedSince }: Round, telemetry: Telemetry): void {
  for (const { due, came } of fired) {
    const { outcome, taskId, dispatch } = came;
    dispatch();
    const slot = due.slot.toISOString();
    const latenessMs = due.firedAt.getTime() - due.slot.getTime();
    telemetry.emit(`schedule.${outcome}`, { schedule, slot, taskId, latenessMs });
  }
  if (missedSince !== undefined) {
    telemetry.emit('schedule.missed', { schedule, since: missedSince.toISOString() });
  }
}
