/**
 * Whether and why a job must stop; keeps its soft time limit. Most short jobs never use the `AbortSignal`, so it is
 * created on demand.
 */
import { LONGEST_TIMER_MS } from '../../base/service.ts';
import type { AbortReason } from '../protocol.ts';

export class Stop {
  #reason: AbortReason | undefined;
  #controller: AbortController | undefined;
  #startedMs = 0;
  #softLimitMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

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

  /** Soft limit including extensions, in milliseconds from the start; undefined for none. */
  get softLimitMs(): number | undefined {
    return this.#softLimitMs;
  }

  /** Keeps the first reason. */
  abort(reason: AbortReason): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** @param softLimitMs from now, in milliseconds. Call `end` when the job ends. */
  start(softLimitMs: number): void {
    this.#startedMs = performance.now();
    this.#softLimitMs = softLimitMs;
    this.#wait();
  }

  /** No effect without a soft limit or after an abort. */
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
