/** Keeps Redis's clock for one shard and rings when its next delayed job is due. */

/** Longest timer: when it ends, the lane asks Redis for the due time again. */
const LONGEST_SLEEP_MS = 60_000;

export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Infinity;
  #offsetMs = Date.now() - performance.now();

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Redis's clock, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#offsetMs + performance.now();
  }

  /** Sets the clock, which then follows the monotonic clock, as the wall clock of a process may be wrong or jump. */
  tellTime(nowMs: number): void {
    this.#offsetMs = nowMs - performance.now();
  }

  /** Rings at this time on Redis's clock, or earlier. */
  wakeAt(dueMs: number | undefined): void {
    // An equal due time resets the timer, as the clock may have been set since.
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
