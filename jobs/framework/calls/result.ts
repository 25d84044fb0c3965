/**
 * How a call is followed: its state now, or its result once there is one.
 */
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/schema';
import type { Queryable } from '../../../db/stores/postgres.ts';
import { findTask, type TaskRow, type TaskStatus } from '../../../db/tasks/rows.ts';
import { AppError, ERRORS, type ErrorCode } from '../../../base/errors.ts';
import type { Inspector, JobState, JobStatus } from '../../queue/index.ts';

const Progress = Type.Object({
  value: Type.Number(),
  note: Type.Union([Type.String(), Type.Null()]),
});

/** A task as its owner sees it: the row, and what Redis knows besides (null while Redis is unavailable). */
export interface TaskView extends TaskRow {
  state: JobState | null;
  progress: Static<typeof Progress> | null;
}

/** What Postgres knows of a durable task. */
export async function viewDurable(
  db: Queryable,
  inspector: Inspector,
  id: string,
): Promise<TaskView | undefined> {
  const row = await findTask(db, id);
  if (row === undefined) return undefined;
  const hint = await inspector.status(id).catch(() => undefined);
  const state = hint === undefined || hint.state === 'unknown' ? null : hint.state;
  return { ...row, state, progress: readProgress(hint) };
}

const STATUS: Record<Exclude<JobState, 'unknown'>, TaskStatus> = {
  scheduled: 'queued',
  pending: 'queued',
  retrying: 'queued',
  active: 'running',
  succeeded: 'done',
  failed: 'error',
  revoked: 'revoked',
};

/** What Redis knows of a task that is not durable. */
export async function viewTransient(
  inspector: Inspector,
  id: string,
): Promise<TaskView | undefined> {
  const status = await inspector.status(id);
  const { state, about, counts, result, reason, finishedAtMs } = status;
  if (state === 'unknown') return undefined;
  return {
    id,
    name: about?.task ?? '',
    queue: about?.queue ?? '',
    status: STATUS[state],
    user_id: null,
    subject: null,
    attempts: counts.attempts,
    result: result === undefined ? null : (JSON.parse(result) as unknown),
    error_code: reason === undefined ? null : toErrorCode(reason.code),
    error_message: reason === undefined ? null : ERRORS[toErrorCode(reason.code)].message,
    created_at: new Date(about?.createdAtMs ?? 0),
    started_at: null,
    finished_at: finishedAtMs === undefined ? null : new Date(finishedAtMs),
    state,
    progress: readProgress(status),
  };
}

/** The queue's own codes in the words of the application. */
export function toErrorCode(code: string | undefined): ErrorCode {
  if (code === 'JOB_EXPIRED') return 'TASK_EXPIRED';
  if (code === 'REVOKED') return 'TASK_REVOKED';
  return code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'TASK_FAILED';
}

/** A hint, and only that: whatever stands in Redis, reading a task does not fail of it. */
function readProgress(status: JobStatus | undefined): TaskView['progress'] {
  try {
    const progress: unknown = JSON.parse(status?.progress ?? 'null');
    return Check(Progress, progress) ? progress : null;
  } catch {
    return null;
  }
}

export interface TaskResult<T = unknown> {
  /** @throws {AppError} `TASK_NOT_FOUND` for an id nobody knows, or no longer. */
  status(): Promise<TaskView>;
  /**
   * What the task returned, once it has.
   * @throws {AppError} the code it ended with, `TASK_REVOKED`, `TASK_EXPIRED`; `TASK_TIMEOUT` when it has not ended within
   * `timeoutMs`; `TASK_NOT_FOUND`
   */
  get(options: { timeoutMs: number }): Promise<T>;
}

/** The result in a view. @throws {AppError} */
export function resultOf(view: TaskView): unknown {
  if (view.status === 'done') return view.result;
  if (view.status === 'queued' || view.status === 'running') throw new AppError('TASK_TIMEOUT');
  const code = view.error_code ?? 'TASK_FAILED';
  throw new AppError(code, view.error_message === null ? {} : { message: view.error_message });
}
