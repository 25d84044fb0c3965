/**
 * Fires due slots, in any number of processes: handling a slot and accepting its task share one transaction under the
 * lock of the schedule, so that a slot fires once or not at all.
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

/** Longest pause between two looks, in milliseconds: bounds the delay of edits and of schedules another process gave up. */
const LOOK_MS = 1000;
/** Pause while another process holds the schedule, in milliseconds. */
const LOCKED_MS = 50;
/** Slots per transaction. */
const PAGE = 100;
/** A slot that is later than this was missed, in milliseconds. */
const LATE_MS = 60_000;

export interface BeatOptions {
  db: Pool;
  enqueuer: Enqueuer;
  schedules: readonly Schedule[];
  telemetry: Telemetry;
  /** Default: the clock of Postgres, so that all processes agree. */
  clock?: (db: Queryable) => Promise<Date>;
}

export function createBeat(options: BeatOptions): Loop {
  return new Loop({
    name: 'beat',
    maxErrorDelayMs: LOOK_MS,
    // No jitter: it sleeps until something is due.
    random: () => 0,
    tick: () => fireDue(options),
    onError: (error) => options.telemetry.emit('loop.failed', { loop: 'beat', error }),
  });
}

/** @returns the time until the next slot, in milliseconds. */
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
      // A broken schedule must not hold up the others.
      telemetry.emit('loop.failed', { loop: `beat of ${schedule.name}`, error });
    }
  }
  return restMs;
}

/** @returns the time until the next slot of this schedule, in milliseconds. */
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
    // Stays behind the clock: another process may be handling a slot that only its code knows.
    await markHandled(options.db, row.name, new Date(now.getTime() - LATE_MS));
  }
  return restMs;
}

interface Round {
  fired: { due: Due; came: Fired }[];
  /** The first of the missed slots that do not fire. */
  missedSince: Date | undefined;
}

/** @returns undefined while another process holds the lock, which Postgres releases if that process dies. */
async function fireSlots(
  schedule: Schedule,
  { db, enqueuer, clock = readClock }: BeatOptions,
): Promise<Round | undefined> {
  const round = transaction(db, async (tx) => {
    const row = await lockSchedule(tx, schedule.name);
    if (row === undefined) return undefined;
    // A worker may lock the task of an earlier slot; the other schedules must not wait for it.
    await tx.query(`SET LOCAL lock_timeout = '${LOCKED_MS}ms'`);
    // Only the locked row is sure to be current.
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
    // No further: a process with other code may know slots in between.
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

/** Slots in (after, until], a page at most, as `catchUp` selects them. */
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
