/**
 * Whether a job should stop, and why. Its soft time limit is kept here. The `AbortSignal` is made when a task asks for
 * it: most short ones never do.
 */
import type { AbortReason } from '../protocol.ts';

/** Longest time a timer can wait, in milliseconds; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

export class Stop {
  #reason: AbortReason | undefined;
  #controller: AbortController | undefined;
  #startedMs = 0;
  #softLimitMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Why, once it should. */
  get reason(): AbortReason | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The soft limit with all that it was extended by, in milliseconds from the start; undefined for none. */
  get softLimitMs(): number | undefined {
    return this.#softLimitMs;
  }

  /** Only the first reason counts. */
  abort(reason: AbortReason): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** Starts the soft limit, in milliseconds from now. Call `end` when the job has ended. */
  start(softLimitMs: number): void {
    this.#startedMs = performance.now();
    this.#softLimitMs = softLimitMs;
    this.#wait();
  }

  /** Moves the soft limit later by so many milliseconds, unless there is none or it is over. */
  extend(ms: number): void {
    if (this.#softLimitMs === undefined || this.#reason !== undefined) return;
    this.#softLimitMs += ms;
    this.#wait();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const leftMs = this.#startedMs + this.#softLimitMs! - performance.now();
    this.#timer = setTimeout(
      () => (leftMs > LONGEST_TIMER_MS ? this.#wait() : this.abort('soft time limit')),
      Math.min(Math.max(0, leftMs), LONGEST_TIMER_MS),
    );
  }
}
