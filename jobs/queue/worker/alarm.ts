/**
 * The clock of Redis on one shard, and waking when the next delayed job comes due by it.
 */

/** Longest sleep until a due time, in milliseconds: then it is asked for again. */
const LONGEST_SLEEP_MS = 60_000;

export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Infinity;
  #offsetMs = Date.now() - performance.now();

  /** @param ring called at a due time. */
  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** The clock of Redis, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#offsetMs + performance.now();
  }

  /** What Redis says it is, carried on by a clock that does not jump. Those of other processes may be wrong. */
  tellTime(nowMs: number): void {
    this.#offsetMs = nowMs - performance.now();
  }

  /** Rings at this time of Redis's clock at the latest. */
  wakeAt(dueMs: number | undefined): void {
    // The same time again is set again: the clock may have been told since.
    if (dueMs === undefined || dueMs > this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    const delayMs = Math.min(Math.max(0, dueMs - this.nowMs), LONGEST_SLEEP_MS);
    this.#timer = setTimeout(() => {
      this.#dueMs = Infinity;
      this.#ring();
    }, delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
