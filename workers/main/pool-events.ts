/**
 * What threads tell the dispatch of a worker.
 */
import type { AttemptEnd } from '../protocol.ts';

export interface ThreadEvents {
  /** A thread has begun with these jobs: their time counts from now. */
  started(ids: readonly string[]): void;
  ended(id: string, end: AttemptEnd): void;
  /** The thread that ran these jobs ended before they did. */
  died(ids: string[], death: ThreadDeath): void;
  /** The thread that was given these jobs ended before it began with them. */
  unstarted(ids: string[], cause: { reason: string; isLoaded: boolean }): void;
  /** A job moves its time limits later by so many milliseconds. */
  extended(id: string, ms: number): void;
  progress(id: string, value: number, note: string | null): void;
  /** A task was accepted that the queue did not take. */
  deferred(taskId: string, error: string): void;
  log(id: string, task: string, message: string, fields: Record<string, unknown>): void;
  /** A worn thread finishes what it has; a fresh one takes its place. */
  replaced(reason: string, jobs: number): void;
}

export interface ThreadDeath {
  reason: string;
  /** Whether the thread had never had another job, whose late error this might be. */
  isFirst: boolean;
  /** Whether it was ended from here, because of one of its jobs. */
  isDeliberate: boolean;
}
