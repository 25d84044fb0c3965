/** Detects that prefetched jobs wait behind long ones, as other workers may be free to run them. */

const STALLED_MS = 50;

export class Stall {
  readonly #stalled: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param stalled called when prefetched jobs wait and no handler has ended for 50 ms. */
  constructor(stalled: () => void) {
    this.#stalled = stalled;
  }

  /** Call it on every change. @param isWaiting whether prefetched jobs wait. @param hasMoved whether a handler has ended. */
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
