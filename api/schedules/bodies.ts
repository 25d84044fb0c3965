/** Response bodies of schedules, also printed by the CLI. */
import type { Static } from 'typebox';
import type { Change, ScheduleEdits } from '../../db/tasks/schedules.ts';
import type { ScheduleView } from '../../jobs/framework/beat/book.ts';
import { DEFAULT_TIMEZONE } from '../../jobs/framework/beat/timetable.ts';
import type { Upcoming } from '../../jobs/framework/beat/upcoming.ts';
import type { PreviewBody, ScheduleBody, ScheduleDetailBody } from './schemas.ts';

export function scheduleBody({
  schedule,
  plan,
  problem,
  row,
  next,
  past,
}: ScheduleView): Static<typeof ScheduleBody> {
  const { name, call, catchUp, overlap, jitterMs } = schedule;
  const { cron, everyMs, timezone, startAt, endAt } = plan.written;
  return {
    name,
    task: call.task.name,
    cron: cron ?? null,
    every_ms: everyMs ?? null,
    timezone: timezone ?? DEFAULT_TIMEZONE,
    start_at: startAt?.toISOString() ?? null,
    end_at: endAt?.toISOString() ?? null,
    catch_up: catchUp,
    overlap,
    jitter_ms: jitterMs,
    enabled: plan.isEnabled,
    problem: problem ?? null,
    edited:
      row.editedAt === null || Object.keys(row.edits).length === 0
        ? null
        : {
            by: row.editedBy ?? '',
            at: row.editedAt.toISOString(),
            fields: Object.keys(editsBody(row.edits)),
          },
    next_runs: next.map(nextRunBody),
    last_runs: past.map((run) => ({
      slot: run.slot.toISOString(),
      fired_at: run.firedAt.toISOString(),
      lateness_ms: run.firedAt.getTime() - run.slot.getTime(),
      outcome: run.outcome,
      asked_by: run.askedBy,
      missed_since: run.missedSince?.toISOString() ?? null,
      task_id: run.taskId,
      status: run.status,
      error_code: run.errorCode,
      finished_at: run.finishedAt?.toISOString() ?? null,
    })),
  };
}

export function scheduleDetailBody(
  view: ScheduleView,
  changes: readonly Change[],
): Static<typeof ScheduleDetailBody> {
  return {
    ...scheduleBody(view),
    changes: changes.map(({ at, by, action, details }) => ({
      at: at.toISOString(),
      by,
      action,
      from: 'from' in details ? editsBody(details.from) : null,
      to: 'to' in details ? editsBody(details.to) : null,
      task_id: 'task_id' in details ? details.task_id : null,
    })),
  };
}

function editsBody({ everyMs, ...edits }: ScheduleEdits) {
  return { ...edits, ...(everyMs === undefined ? {} : { every_ms: everyMs }) };
}

export function nextRunBody({
  at,
  local,
  note,
}: Upcoming): Static<typeof PreviewBody>['next_runs'][number] {
  return { at: at.toISOString(), local, note };
}
