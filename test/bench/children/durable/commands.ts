/**
 * What a process that makes or takes durable calls can be told to do.
 */
import type { DurablePlace } from '../../peers/durable/peer.ts';

export interface DurableCommands {
  openClient(args: DurablePlace): void;
  openWorker(args: DurablePlace): void;
  /** Makes calls one by one, this many in flight. */
  call(args: { tasks: number; inFlight: number }): CallSpan;
  /** Makes this many at a time, one batch in flight. */
  callMany(args: { tasks: number; batch: number }): CallSpan;
  /** Runs this many tasks side by side, then one that waits for all of them, until the end of that one is known. */
  chord(args: { members: number }): CallSpan;
  /** Makes a call, waits for its end, and rests, again and again. */
  follow(args: { tasks: number; restMs: number }): Followed;
  /** Waits until the handlers of this many further tasks have ended. */
  finish(args: { tasks: number }): void;
  /** Processor time of the process so far, in milliseconds. */
  cpuMs(args: Record<string, never>): number;
}

export interface CallSpan {
  /** `monotonicMs()`, comparable between processes: the first call, and the last acceptance. */
  startMs: number;
  endMs: number;
}

/** In milliseconds, for each call. */
export interface Followed {
  /** From the call to its acceptance. */
  acceptMs: number[];
  /** From there to its end. */
  endMs: number[];
}
