/**
 * The jobs that are in threads now: since when, until when, and in which pool.
 */
import type { Delivery } from '../../jobs/queue/index.ts';
import type { ThreadPool } from './pool.ts';
import type { AbortReason } from '../protocol.ts';

export interface Run {
  delivery: Delivery;
  pool: ThreadPool;
  /** Its hard limit; counts from `startedMs`. */
  limitMs: number;
  overran: boolean;
  /** An operator had its thread ended. */
  terminated: boolean;
  /** Why it was told to stop; the first reason counts. */
  aborted: AbortReason | undefined;
  /** Its lease is lost: however it ends, that is nobody's business here. */
  lost: boolean;
  /** Infinite until a thread has begun with it. */
  startedMs: number;
}

/** A run as operators see it. */
export interface HeldJob {
  id: string;
  task: string;
  queue: string;
  /** 1 for the first. */
  attempt: number;
  /** When it began, ISO 8601; null while it waits for its turn in its thread. */
  since: string | null;
}

const FRESH = {
  overran: false,
  terminated: false,
  aborted: undefined,
  lost: false,
  startedMs: Infinity,
};

export class Runs extends Map<string, Run> {
  add(delivery: Delivery, pool: ThreadPool, limitMs: number): void {
    this.set(delivery.job.id, { delivery, pool, limitMs, ...FRESH });
  }

  /** A thread has begun with these. What they were told before, it did not hear if it was still being started. */
  begin(ids: readonly string[]): void {
    const nowMs = performance.now();
    for (const id of ids) {
      const run = this.get(id);
      if (run === undefined) continue;
      run.startedMs = nowMs;
      if (run.terminated) run.pool.terminate(id);
      else if (run.aborted !== undefined) run.pool.abort([id], run.aborted);
    }
  }

  /** Tells a job to stop, or its thread to hand it back if it has not begun. */
  abort(id: string, reason: AbortReason): void {
    const run = this.get(id);
    if (run === undefined) return;
    run.aborted ??= reason;
    run.pool.abort([id], run.aborted);
  }

  /** Moves the hard limit of a job later. */
  extend(id: string, ms: number): void {
    const run = this.get(id);
    if (run !== undefined) run.limitMs += ms;
  }

  /** Only the first to run over its limit on a thread is to blame: it may have kept the others from running. */
  endOverruns(): void {
    const nowMs = performance.now();
    for (const [id, run] of this) {
      if (run.startedMs + run.limitMs > nowMs || run.overran) continue;
      run.overran = run.pool.terminate(id);
    }
  }

  /**
   * Ends the thread of a job; one that has not begun is handed back by its thread.
   * @param lost whether its lease was taken away.
   * @returns false when it is not in a thread here.
   */
  terminate(id: string, lost: boolean): boolean {
    const run = this.get(id);
    if (run === undefined) return false;
    run.terminated = true;
    run.lost ||= lost;
    if (!run.pool.terminate(id)) this.abort(id, 'revoked');
    return true;
  }

  list(): HeldJob[] {
    return Array.from(this.values(), ({ delivery: { job, counts }, startedMs }) => {
      const { id, task, queue } = job;
      const since = startedMs === Infinity ? null : new Date(performance.timeOrigin + startedMs);
      return { id, task, queue, attempt: counts.attempts + 1, since: since?.toISOString() ?? null };
    });
  }
}
