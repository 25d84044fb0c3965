/** Messages between the main thread and its worker threads. */
import type { ResolvedConfig } from '../base/config.ts';
import type { Loss } from '../jobs/queue/index.ts';
import type { Failure } from './retry-decision.ts';

/** The payload stays text until the thread parses it. */
export interface ThreadJob {
  id: string;
  task: string;
  queue: string;
  payload: string;
  headers: Record<string, string>;
  /** Attempts charged so far, as counted by the queue. */
  attempts: number;
  /** How often it has snoozed, as counted by the queue. Default 0. */
  snoozes?: number | undefined;
  /** Milliseconds since 1970. */
  createdAtMs: number;
}

/** A durable task writes its outcome to Postgres before reporting it. */
export type AttemptEnd =
  | { kind: 'succeeded'; result: string }
  | ({ kind: 'retry'; delayMs: number; attempts: number } & Failure)
  | ({ kind: 'failed'; attempts: number } & Failure)
  /** Not the task's fault: reruns after `delayMs`, uncharged. */
  | { kind: 'released'; delayMs: number; reason: string }
  /** Put off by the task itself: reruns after `delayMs`, uncharged. `snoozes` includes this one. */
  | { kind: 'snoozed'; delayMs: number; snoozes: number }
  /** Nothing to run: finished elsewhere, or revoked. */
  | { kind: 'obsolete'; reason: string };

/** Reason of a job handed back because the jobs before it are slow. */
export const STALLED = 'stalled';

export interface Ended {
  id: string;
  end: AttemptEnd;
  /** How long its handler ran, in milliseconds; undefined if it did not. */
  ranMs?: number | undefined;
}

export interface Moves {
  /** Jobs whose handlers are about to start. */
  started: string[];
  /** Jobs whose handlers have ended, and whose outcomes are being stored. */
  handled: string[];
  ended: Ended[];
}

export interface Batch {
  /** Concurrency of the thread from now on. */
  concurrency: number;
  jobs: readonly ThreadJob[];
}

// Batches travel as text: JSON costs a third of a structured clone.
export const packBatch = (batch: Batch): string => JSON.stringify(batch);
export const unpackBatch = (text: string): Batch => JSON.parse(text) as Batch;
export const packMoves = (moves: Moves): string => JSON.stringify(moves);
export const unpackMoves = (text: string): Moves => JSON.parse(text) as Moves;

export type FromThread =
  /** From `packMoves`. */
  | { type: 'moved'; text: string }
  | { type: 'progress'; id: string; value: number; note: string | null }
  /** A task was accepted but not enqueued. */
  | { type: 'deferred'; taskId: string; error: string }
  /** A job extends its time limits, in milliseconds. */
  | { type: 'extended'; id: string; ms: number }
  /** The heap stayed above the replacement limit. */
  | { type: 'heavy'; mb: number }
  | { type: 'log'; id: string; task: string; message: string; fields: Record<string, unknown> };

export type AbortReason = 'shutdown' | Loss | 'soft time limit';

export type ToThread =
  | { type: 'abort'; ids: string[]; reason: AbortReason }
  /** A starting thread gets its concurrency with its first batch. */
  | { type: 'concurrency'; concurrency: number };

export interface ThreadData {
  config: ResolvedConfig;
  /** Name of the broadcast channel from worker to threads. */
  channel: string;
}
