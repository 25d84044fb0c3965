/**
 * What the main thread and its worker threads tell each other.
 */
import type { ResolvedConfig } from '../base/config.ts';
import type { Loss } from '../jobs/queue/index.ts';
import type { Failure } from './retry-decision.ts';

/** A job as it travels to a thread: the payload as text, parsed where it is used. */
export interface ThreadJob {
  id: string;
  task: string;
  queue: string;
  payload: string;
  headers: Record<string, string>;
  /** Attempts charged so far, as the queue has counted them. */
  attempts: number;
  /** When it was asked for, in milliseconds since 1970. */
  createdAtMs: number;
}

/** How an attempt ended. Durable tasks have written it to Postgres before it is told. */
export type AttemptEnd =
  | { kind: 'succeeded'; result: string; durationMs: number }
  | ({ kind: 'retry'; delayMs: number; attempts: number } & Failure)
  | ({ kind: 'failed'; attempts: number } & Failure)
  /** Not the task's fault: again after `delayMs`, nothing charged. */
  | { kind: 'released'; delayMs: number; reason: string }
  /** There is nothing to run: finished elsewhere, or revoked. */
  | { kind: 'obsolete'; reason: string };

/** Reason of a job handed back because the jobs before it take long. */
export const STALLED = 'stalled';

export interface Ended {
  id: string;
  end: AttemptEnd;
}

/** Jobs that are about to start, and jobs that ended. */
export interface Moves {
  started: string[];
  ended: Ended[];
}

export interface Batch {
  /** Jobs the thread runs at a time, from now on. */
  concurrency: number;
  jobs: readonly ThreadJob[];
}

// What travels by the hundred goes as text: JSON costs a third of a structured clone of as many objects.
export const packBatch = (batch: Batch): string => JSON.stringify(batch);
export const unpackBatch = (text: string): Batch => JSON.parse(text) as Batch;
export const packMoves = (moves: Moves): string => JSON.stringify(moves);
export const unpackMoves = (text: string): Moves => JSON.parse(text) as Moves;

export type FromThread =
  /** Moves, packed. */
  | { type: 'moved'; text: string }
  | { type: 'progress'; id: string; value: number; note: string | null }
  /** A task was accepted that the queue did not take. */
  | { type: 'deferred'; taskId: string; error: string }
  /** A job moves its time limits later. */
  | { type: 'extended'; id: string; ms: number }
  /** The heap of the thread has stayed above the limit at which it is replaced. */
  | { type: 'heavy'; mb: number }
  | { type: 'log'; id: string; task: string; message: string; fields: Record<string, unknown> };

export type AbortReason = 'shutdown' | Loss | 'soft time limit';

export type ToThread =
  | { type: 'abort'; ids: string[]; reason: AbortReason }
  /** Jobs to run at a time. Threads that have yet to start are told by their first batch. */
  | { type: 'concurrency'; concurrency: number };

/** What a thread needs to make its own clients. */
export interface ThreadData {
  config: ResolvedConfig;
  /** Name of the broadcast channel on which threads are told what to do. */
  channel: string;
}
