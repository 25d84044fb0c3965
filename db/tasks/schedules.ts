/** `ai.schedules`, `ai.schedule_slots` and `ai.schedule_changes`: progress, fired slots and audit record of schedules. */
import type { Queryable } from '../stores/postgres.ts';
import type { TaskStatus } from './rows.ts';

/** Operator overrides of the values in code. */
export interface ScheduleEdits {
  enabled?: boolean;
  cron?: string;
  everyMs?: number;
  timezone?: string;
}

export interface ScheduleRow {
  name: string;
  /** All slots up to this time are handled. */
  handledTo: Date;
  edits: ScheduleEdits;
  editedBy: string | null;
  editedAt: Date | null;
}

export interface Slot {
  schedule: string;
  slot: Date;
  /** The operator who fired it out of turn. Default: none, it was due. */
  askedBy?: string | undefined;
  /** First of the missed slots for which this one stands. */
  missedSince?: Date | undefined;
  firedAt: Date;
}

/** A slot with the state of its task, which is null once the task is pruned. */
export interface PastSlot extends Omit<Slot, 'askedBy' | 'missedSince'> {
  outcome: 'fired' | 'skipped';
  askedBy: string | null;
  missedSince: Date | null;
  /** The accepted task, or the unfinished one that caused the skip. */
  taskId: string;
  status: TaskStatus | null;
  errorCode: string | null;
  finishedAt: Date | null;
}

const COLUMNS = `name, handled_to AS "handledTo", edits, edited_by AS "editedBy", edited_at AS "editedAt"`;

/** The clock of all schedules. */
export async function readClock(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]!.now;
}

/** Rows by schedule name. Creates missing ones, handled up to `now`. */
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

/** Locks a schedule's row until the transaction ends. Waits for another holder if `isPatient`; otherwise returns undefined. */
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

/** Never moves backwards, so a slow process cannot undo a faster one. */
export async function markHandled(tx: Queryable, name: string, to: Date): Promise<void> {
  await tx.query('UPDATE ai.schedules SET handled_to = greatest(handled_to, $2) WHERE name = $1', [
    name,
    to,
  ]);
}

/** Resets `handled_to` to `now` if a fast clock put it over `toleranceMs` ahead. Fired slots stay stored and do not fire again. */
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

/** @returns whether the slot is new. If so, the caller must `settleSlot` it in the same transaction. */
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

/** Newest first. */
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

/** Replaces the edits and drops the slots up to `now`. */
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
  /** External id of a user, or `cli`. */
  by: string;
  action: 'edited' | 'run';
  /** For an edit, the edits before and after; for a run, the task id. */
  details: { from: ScheduleEdits; to: ScheduleEdits } | { task_id: string };
}

/** Newest first. */
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
 * Deletes other schedules that no process has advanced for a while. Keeps edited ones, which another process may know or a later
 * release may bring back.
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

/** Deletes slots older than `olderThanMs`, oldest first. @returns the number deleted. */
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
