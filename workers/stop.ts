/**
 * Whether a job should stop, and why. The `AbortSignal` is made when a task asks for it: most short ones never do.
 */
import type { AbortReason } from './protocol.ts';

export class Stop {
  #reason: AbortReason | undefined;
  #controller: AbortController | undefined;

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

  /** Only the first reason counts. */
  abort(reason: AbortReason): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
