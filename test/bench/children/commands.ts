/**
 * What a measured process can be told to do. `side.ts` carries it out with one queue or the other.
 */
import type { Place, ThreadOptions } from '../peers/peer.ts';

export interface QueueCommands {
  /** Adds jobs with this many adds in flight. */
  add(args: Place & { jobs: number; inFlight: number }): Span;
  /** Adds jobs in batches, one batch in flight. */
  addBulk(args: Place & { jobs: number; batch: number; delayMs?: number }): Span;
  /** Adds a job at each tick of a fixed pace, whether or not the one before has been answered. */
  addPaced(args: Place & { jobs: number; perSecond: number }): Span;
  /** Adds delayed jobs that become due at a fixed pace, the first after `leadMs`. */
  addDelayed(args: Place & { jobs: number; perSecond: number; leadMs: number }): Span;
  /** Takes jobs that are there already: from the start of the first handler to the acknowledged end of the last. */
  drain(args: Place & { jobs: number; concurrency: number }): Span;
  /** Likewise through worker threads, from the end of job number `warmUp`. */
  drainThreads(args: Place & ThreadOptions & { jobs: number; warmUp: number }): Span;
  /** Starts to take jobs. */
  listen(args: Place & { concurrency: number }): void;
  /** After `listen`: waits until this many jobs have ended. */
  finish(args: { jobs: number }): Finished;
}

export interface Span {
  /** `monotonicMs()`, comparable between processes. */
  startMs: number;
  endMs: number;
  /** Processor time of the process meanwhile, in milliseconds. */
  cpuMs: number;
}

export interface Finished {
  endMs: number;
  /** For each job in milliseconds: the start of its handler, less the time in its payload. */
  waitsMs: number[];
}
