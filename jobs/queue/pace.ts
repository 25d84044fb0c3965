/**
 * How long jobs take here, and what follows from it. Fetching ahead hides the way to Redis, which is worth 15 times the
 * throughput at concurrency 1, but a job held back behind a long one would be better off elsewhere. So it is done only
 * while jobs are short.
 */

/** Jobs are short when 95 of 100 take less than this, in milliseconds. */
const SHORT_MS = 5;
/** Run times remembered. */
const WINDOW = 64;
/** New run times between two looks at them. */
const STEP = 16;
/** Jobs to hold beyond those that run, while jobs are short: two full rounds of `step`, one on its way and one at work. */
export const AHEAD = 400;
/** Jobs held ahead go back when none has ended for this long, in milliseconds: other workers may be free. */
export const STALLED_MS = 50;

export class Pace {
  readonly #durations: number[] = [];
  #next = 0;
  #sinceLook = 0;
  #isShort = false;

  /** Whether jobs are short enough to hold some ahead. False until enough were measured. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Notes a run time in milliseconds. @returns whether `isShort` changed. */
  note(durationMs: number): boolean {
    this.#durations[this.#next] = durationMs;
    this.#next = (this.#next + 1) % WINDOW;
    if (++this.#sinceLook < STEP) return false;
    this.#sinceLook = 0;
    const sorted = this.#durations.toSorted((a, b) => a - b);
    return this.#set((sorted[Math.floor(sorted.length * 0.95)] ?? 0) < SHORT_MS);
  }

  /** Jobs turned out to be long after all: forgets what was measured. @returns whether `isShort` changed. */
  reset(): boolean {
    this.#durations.length = 0;
    this.#next = 0;
    return this.#set(false);
  }

  #set(isShort: boolean): boolean {
    const changed = isShort !== this.#isShort;
    this.#isShort = isShort;
    return changed;
  }
}
