/**
 * Notices that jobs held back behind running ones get no turn: then others may be free to run them.
 */

/** Jobs held ahead go back when none has ended for this long, in milliseconds. */
const STALLED_MS = 50;

export class Stall {
  readonly #stalled: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param stalled called when jobs wait and none has ended for 50 ms. */
  constructor(stalled: () => void) {
    this.#stalled = stalled;
  }

  /** To be told of every change. @param isWaiting whether jobs are held back. @param hasMoved whether one has ended. */
  watch(isWaiting: boolean, hasMoved: boolean): void {
    if (!isWaiting) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#stalled();
      }, STALLED_MS);
    } else if (hasMoved) {
      this.#timer.refresh();
    }
  }
}
