/** Events from threads to the dispatch of a worker. */
import type { AttemptEnd } from '../protocol.ts';

export interface ThreadEvents {
  /** The time limits of these jobs start now. */
  started(ids: readonly string[]): void;
  /** The handlers of these jobs have ended: their time limits do, too. */
  handled(ids: readonly string[]): void;
  /** @param ranMs how long its handler ran, in milliseconds; undefined if it did not. */
  ended(id: string, end: AttemptEnd, ranMs: number | undefined): void;
  /** The thread ended while running these jobs. */
  died(ids: string[], death: ThreadDeath): void;
  /** A thread could not be ended, as a native call of a job does not return. */
  stuck(): void;
  /** The thread ended while it did not run the handlers of these jobs. */
  unstarted(ids: string[], cause: { reason: string; isLoaded: boolean }): void;
  /** A job extends its time limits, in milliseconds. */
  extended(id: string, ms: number): void;
  progress(id: string, value: number, note: string | null): void;
  /** A task was accepted but not enqueued. */
  deferred(taskId: string, error: string): void;
  log(id: string, task: string, message: string, fields: Record<string, unknown>): void;
  /** A worn thread finishes its jobs; a fresh one takes its place. */
  replaced(reason: string, jobs: number): void;
}

export interface ThreadDeath {
  reason: string;
  /** Whether the thread had run no other job, whose late error could be the cause. */
  isFirst: boolean;
  /** Whether the worker ended the thread because of one of its jobs. */
  isDeliberate: boolean;
}
