/**
 * `ai.schedules`, `ai.schedule_slots` and `ai.schedule_changes`: how far each schedule was kept, and by whom it was changed.
 */
import type { Queryable } from '../stores/postgres.ts';
import type { TaskStatus } from './rows.ts';

/** What an operator changed, in place of what the code says. */
export interface ScheduleEdits {
  enabled?: boolean;
  cron?: string;
  everyMs?: number;
  timezone?: string;
}

export interface ScheduleRow {
  name: string;
  /** Slots up to here are dealt with. */
  handledTo: Date;
  edits: ScheduleEdits;
  editedBy: string | null;
  editedAt: Date | null;
}

export interface Slot {
  schedule: string;
  slot: Date;
  /** Who asked for it out of turn. Default: nobody, it was due. */
  askedBy?: string | undefined;
  /** The first of the slots it stands for, where more were missed than this one. */
  missedSince?: Date | undefined;
  firedAt: Date;
}

/** A slot and what has become of its task; null once that is no longer kept. */
export interface PastSlot extends Omit<Slot, 'askedBy' | 'missedSince'> {
  outcome: 'fired' | 'skipped';
  askedBy: string | null;
  missedSince: Date | null;
  /** The task that was accepted, or the one that had not ended. */
  taskId: string;
  status: TaskStatus | null;
  errorCode: string | null;
  finishedAt: Date | null;
}

const COLUMNS = `name, handled_to AS "handledTo", edits, edited_by AS "editedBy", edited_at AS "editedAt"`;

/** The clock all schedules are kept by. */
export async function readClock(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]!.now;
}

/** Rows of these schedules, by name. One that is new begins `now`. */
export async function readSchedules(
  db: Queryable,
  names: readonly string[],
  now: Date,
): Promise<Map<string, ScheduleRow>> {
  const read = `SELECT ${COLUMNS} FROM ai.schedules WHERE name = ANY($1)`;
  const find = () => db.query<ScheduleRow & Record<string, unknown>>(read, [names]);
  let { rows } = await find();
  if (rows.length < names.length) {
    await db.query(
      `INSERT INTO ai.schedules (name, handled_to) SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING`,
      [names, now],
    );
    ({ rows } = await find());
  }
  return new Map(rows.map((row) => [row.name, row]));
}

/**
 * The row of a schedule, which nobody else changes until the transaction ends.
 * @param isPatient whether to wait for whoever is at it. Default: undefined comes back at once.
 */
export async function lockSchedule(
  tx: Queryable,
  name: string,
  { isPatient = false } = {},
): Promise<ScheduleRow | undefined> {
  const { rows } = await tx.query<ScheduleRow & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM ai.schedules WHERE name = $1 FOR UPDATE ${isPatient ? '' : 'SKIP LOCKED'}`,
    [name],
  );
  return rows[0];
}

/** Never moves back: whoever is late overtakes nobody. */
export async function markHandled(tx: Queryable, name: string, to: Date): Promise<void> {
  await tx.query('UPDATE ai.schedules SET handled_to = greatest(handled_to, $2) WHERE name = $1', [
    name,
    to,
  ]);
}

/**
 * Goes on from `now` where a clock that was ahead has moved a schedule more than `toleranceMs` beyond it. What it fired by then has its
 * slots, and does not fire again.
 */
export async function rewindSchedule(
  db: Queryable,
  name: string,
  { now, toleranceMs }: { now: Date; toleranceMs: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE ai.schedules SET handled_to = $2
     WHERE name = $1 AND handled_to > $2::timestamptz + $3 * interval '1 millisecond'`,
    [name, now, toleranceMs],
  );
  return rowCount === 1;
}

/** @returns whether the slot is new: nobody has dealt with it. `settleSlot` it then, in the same transaction. */
export async function claimSlot(tx: Queryable, slot: Slot): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO ai.schedule_slots (schedule, slot, asked_by, missed_since, fired_at)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [slot.schedule, slot.slot, slot.askedBy, slot.missedSince, slot.firedAt],
  );
  return rowCount === 1;
}

export async function settleSlot(
  tx: Queryable,
  { schedule, slot }: Slot,
  { outcome, taskId }: Pick<PastSlot, 'outcome' | 'taskId'>,
): Promise<void> {
  await tx.query(
    'UPDATE ai.schedule_slots SET outcome = $3, task_id = $4 WHERE schedule = $1 AND slot = $2',
    [schedule, slot, outcome, taskId],
  );
}

/** The newest slots of a schedule. */
export async function findSlots(
  db: Queryable,
  schedule: string,
  limit: number,
): Promise<PastSlot[]> {
  const { rows } = await db.query<PastSlot & Record<string, unknown>>(
    `SELECT s.schedule, s.slot, s.outcome, s.asked_by AS "askedBy", s.task_id AS "taskId",
       s.missed_since AS "missedSince", s.fired_at AS "firedAt",
       t.status, t.error_code AS "errorCode", t.finished_at AS "finishedAt"
     FROM ai.schedule_slots s LEFT JOIN ai.tasks t ON t.id = s.task_id
     WHERE s.schedule = $1 ORDER BY s.slot DESC LIMIT $2`,
    [schedule, limit],
  );
  return rows;
}

/** Replaces the edits of a schedule, which begins anew: slots up to `now` are not due. */
export async function editSchedule(
  tx: Queryable,
  name: string,
  edits: ScheduleEdits,
  { by, now }: { by: string; now: Date },
): Promise<void> {
  await tx.query(
    `UPDATE ai.schedules SET edits = $2, edited_by = $3, edited_at = $4, handled_to = $4
     WHERE name = $1`,
    [name, JSON.stringify(edits), by, now],
  );
}

export async function recordChange(
  tx: Queryable,
  schedule: string,
  action: 'edited' | 'run',
  { by, details }: { by: string; details: object },
): Promise<void> {
  await tx.query(
    'INSERT INTO ai.schedule_changes (schedule, changed_by, action, details) VALUES ($1, $2, $3, $4)',
    [schedule, by, action, JSON.stringify(details)],
  );
}

export interface Change {
  at: Date;
  /** External id of a user, or cli. */
  by: string;
  action: 'edited' | 'run';
  /** Of an edit the edits before and after it; of a run the id of its task. */
  details: { from: ScheduleEdits; to: ScheduleEdits } | { task_id: string };
}

/** What people did to a schedule, the newest first. */
export async function findChanges(
  db: Queryable,
  schedule: string,
  limit: number,
): Promise<Change[]> {
  const { rows } = await db.query<Change & Record<string, unknown>>(
    `SELECT changed_at AS at, changed_by AS by, action, details FROM ai.schedule_changes
     WHERE schedule = $1 ORDER BY id DESC LIMIT $2`,
    [schedule, limit],
  );
  return rows;
}

/**
 * Forgets schedules that are not among these and that no process has moved along for a while. What an operator edited is kept:
 * another process may know it, or it may come back.
 */
export async function forgetSchedules(
  db: Queryable,
  names: readonly string[],
  olderThanMs: number,
): Promise<void> {
  await db.query(
    `DELETE FROM ai.schedules WHERE name IN (
       SELECT name FROM ai.schedules
       WHERE name <> ALL($1) AND edits = '{}' AND handled_to < now() - $2 * interval '1 millisecond'
       FOR UPDATE SKIP LOCKED)`,
    [names, olderThanMs],
  );
}

/** Deletes slots older than `olderThanMs`, the oldest first. @returns how many. */
export async function pruneSlots(
  db: Queryable,
  olderThanMs: number,
  limit: number,
): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM ai.schedule_slots WHERE (schedule, slot) IN (
       SELECT schedule, slot FROM ai.schedule_slots WHERE fired_at < now() - $1 * interval '1 millisecond'
       ORDER BY fired_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [olderThanMs, limit],
  );
  return rowCount ?? 0;
}
