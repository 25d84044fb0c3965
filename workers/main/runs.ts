/** The jobs in threads, with their start, limit and pool. */
import type { Delivery } from '../../jobs/queue/index.ts';
import type { ThreadPool } from './pool.ts';
import type { AbortReason } from '../protocol.ts';

export interface Run {
  delivery: Delivery;
  pool: ThreadPool;
  /** Hard limit in milliseconds, from `startedMs`. */
  limitMs: number;
  overran: boolean;
  /** An operator ended its thread. */
  terminated: boolean;
  /** The first abort reason. */
  aborted: AbortReason | undefined;
  /** Its lease is lost: its outcome is ignored. */
  lost: boolean;
  /** Infinite until a thread starts it. */
  startedMs: number;
}

export interface HeldJob {
  id: string;
  task: string;
  queue: string;
  /** Counts from 1. */
  attempt: number;
  /** Start time, ISO 8601; null while it waits in its thread. */
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

  /** Repeats earlier orders, which a starting thread does not receive. */
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

  /** Storing an outcome has limits of its own. */
  handled(ids: readonly string[]): void {
    for (const id of ids) this.extend(id, Infinity);
  }

  /** Tells a running job to stop; the thread hands back a waiting one. */
  abort(id: string, reason: AbortReason): void {
    const run = this.get(id);
    if (run === undefined) return;
    run.aborted ??= reason;
    run.pool.abort([id], run.aborted);
  }

  /** Extends the hard limit, in milliseconds. */
  extend(id: string, ms: number): void {
    const run = this.get(id);
    if (run !== undefined) run.limitMs += ms;
  }

  /** Charges only the first overrun on a thread: that job may have blocked the others. */
  endOverruns(): void {
    const nowMs = performance.now();
    for (const [id, run] of this) {
      if (run.startedMs + run.limitMs > nowMs || run.overran) continue;
      run.overran = run.pool.terminate(id);
    }
  }

  /**
   * Ends the thread of a running job; the thread hands back a waiting one.
   * @param lost whether its lease was taken away.
   * @returns false when no thread here has the job.
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
