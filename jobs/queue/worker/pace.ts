/**
 * How long jobs take here, and what follows from it. Fetching ahead hides the way to Redis, which is worth 15 times the
 * throughput at concurrency 1, but a job held back behind a long one would be better off elsewhere. So it is done only
 * while jobs are short.
 */

/** Jobs are short when 95 of 100 take less than this, in milliseconds. */
const SHORT_MS = 5;
/** Run times remembered, and how many of them may be longer. */
const WINDOW = 64;
const MOST_LONG = 3;
/** Jobs to hold beyond those that run, while jobs are short: two full rounds of `step`, one on its way and one at work. */
export const AHEAD = 400;

export class Pace {
  /** A ring of the last run times: 1 for a long one. */
  readonly #isLong = new Uint8Array(WINDOW);
  #noted = 0;
  #long = 0;
  #isShort = false;

  /** Whether jobs are short enough to hold some ahead. False until a whole window of them was measured. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Notes a run time in milliseconds. @returns whether `isShort` changed. */
  note(durationMs: number): boolean {
    const place = this.#noted++ % WINDOW;
    this.#long -= this.#isLong[place]!;
    this.#isLong[place] = durationMs < SHORT_MS ? 0 : 1;
    this.#long += this.#isLong[place];
    return this.#set(this.#noted >= WINDOW && this.#long <= MOST_LONG);
  }

  /** Jobs turned out to be long after all: forgets what was measured. @returns whether `isShort` changed. */
  reset(): boolean {
    this.#isLong.fill(0);
    this.#noted = 0;
    this.#long = 0;
    return this.#set(false);
  }

  #set(isShort: boolean): boolean {
    const changed = isShort !== this.#isShort;
    this.#isShort = isShort;
    return changed;
  }
}
