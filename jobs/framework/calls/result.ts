/** Follows a task: its current state, or its result once it has one. */
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/schema';
import type { Queryable } from '../../../db/stores/postgres.ts';
import { findTask, type TaskRow, type TaskStatus } from '../../../db/tasks/rows.ts';
import { AppError, ERRORS, type ErrorCode } from '../../../base/errors.ts';
import type { Inspector, JobState, JobStatus, Reason } from '../../queue/index.ts';

const Progress = Type.Object({
  value: Type.Number(),
  note: Type.Union([Type.String(), Type.Null()]),
});

/** A task for its owner. Until a durable task has ended, `state` and `progress` come from Redis: null while it is unavailable. */
export interface TaskView extends TaskRow {
  state: JobState | null;
  /** Null once a durable task has ended. */
  progress: Static<typeof Progress> | null;
}

/** What each store knows of a task. An unavailable store does not hide what the other knows. */
export interface TaskDescription {
  /** Undefined for transient tasks. */
  row: PromiseSettledResult<TaskRow | undefined>;
  job: PromiseSettledResult<JobStatus>;
}

export async function describeTask(
  { db, inspector }: { db: () => Queryable; inspector: Inspector },
  id: string,
): Promise<TaskDescription> {
  const readRow = async () => findTask(db(), id);
  const [row, job] = await Promise.allSettled([readRow(), inspector.status(id)]);
  return { row, job };
}

/** @returns undefined if neither store knows the task. @throws the error of a store that leaves this open. */
export function viewOf({ row, job }: TaskDescription): TaskView | undefined {
  if (row.status === 'rejected') throw row.reason;
  if (row.value !== undefined) {
    return viewDurable(row.value, job.status === 'fulfilled' ? job.value : undefined);
  }
  if (job.status === 'rejected') throw job.reason;
  return viewTransient(job.value);
}

/** @param hint what Redis knows; undefined while it is unavailable, and of no use once the task has ended. */
export function viewDurable(row: TaskRow, hint: JobStatus | undefined): TaskView {
  if (row.status === 'waiting') return { ...row, state: null, progress: null };
  if (row.status !== 'queued' && row.status !== 'running') {
    return { ...row, state: ENDED[row.status], progress: null };
  }
  const state = hint === undefined || hint.state === 'unknown' ? null : hint.state;
  return { ...row, state, progress: readProgress(hint) };
}

const ENDED = { done: 'succeeded', error: 'failed', revoked: 'revoked' } as const;

const STATUS: Record<Exclude<JobState, 'unknown'>, TaskStatus> = {
  scheduled: 'queued',
  pending: 'queued',
  retrying: 'queued',
  active: 'running',
  succeeded: 'done',
  failed: 'error',
  revoked: 'revoked',
};

function viewTransient(status: JobStatus): TaskView | undefined {
  const { id, state, about, counts, result, reason, finishedAtMs } = status;
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
    error_message: reason === undefined ? null : wordsOf(reason, state),
    created_at: new Date(about?.createdAtMs ?? 0),
    started_at: null,
    finished_at: finishedAtMs === undefined ? null : new Date(finishedAtMs),
    delay_ms: null,
    state,
    progress: readProgress(status),
  };
}

/**
 * The words of the task itself, which it has for its owner. A revoke, a death and the queue's own codes have words for operators:
 * their owners get those of the catalogue.
 */
function wordsOf({ code, message }: Reason, state: JobState): string {
  const isItsOwn = state === 'failed' && code === toErrorCode(code) && code !== 'WORKER_DIED';
  return (isItsOwn ? message : undefined) ?? ERRORS[toErrorCode(code)].message;
}

/** Maps a code of the queue to one of the application. */
export function toErrorCode(code: string | undefined): ErrorCode {
  if (code === 'JOB_EXPIRED') return 'TASK_EXPIRED';
  if (code === 'REVOKED') return 'TASK_REVOKED';
  return code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'TASK_FAILED';
}

/** Ignores malformed progress in Redis: it is only a hint and must not make a task unreadable. */
function readProgress(status: JobStatus | undefined): TaskView['progress'] {
  try {
    const progress: unknown = JSON.parse(status?.progress ?? 'null');
    return Check(Progress, progress) ? progress : null;
  } catch {
    return null;
  }
}

export interface TaskResult<T = unknown> {
  /** @throws {AppError} `TASK_NOT_FOUND` if neither store knows the id, or knows it any longer. */
  status(): Promise<TaskView>;
  /** @throws {AppError} the final code, `TASK_REVOKED`, `TASK_EXPIRED`; `TASK_TIMEOUT` after `timeoutMs`; `TASK_NOT_FOUND` */
  get(options: { timeoutMs: number }): Promise<T>;
}

const UNFINISHED: readonly TaskStatus[] = ['waiting', 'queued', 'running'];

/** @returns the task's return value. @throws {AppError} if it has none. */
export function resultOf(view: TaskView): unknown {
  if (view.status === 'done') return view.result;
  if (UNFINISHED.includes(view.status)) throw new AppError('TASK_TIMEOUT');
  const code = view.error_code ?? 'TASK_FAILED';
  throw new AppError(code, view.error_message === null ? {} : { message: view.error_message });
}
