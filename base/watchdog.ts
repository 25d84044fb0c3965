/** Tells a hanging process from one whose stores are unavailable: a restart helps only the first. */
import { Loop } from './service.ts';

/** Interval of the store pings, in milliseconds. */
const LOOK_MS = 1000;
/** How long work may be silent while the stores answer, in milliseconds: three times the longest reconnect. */
const PATIENCE_MS = 15_000;

export interface Watched {
  /** Time since the last sign of progress, in milliseconds. */
  silentMs(): number;
  /** Resolves when the stores the work depends on answer. */
  ping(): Promise<unknown>;
}

export class Watchdog extends Loop {
  readonly #watched: Watched;
  readonly #patienceMs: number;
  #answersSinceMs = Infinity;

  constructor(watched: Watched, patienceMs = PATIENCE_MS) {
    super({
      name: 'watchdog',
      // An unavailable store is an expected result, not a fault.
      onError: () => undefined,
      maxErrorDelayMs: LOOK_MS,
      tick: async () => {
        await this.#look();
        return LOOK_MS;
      },
    });
    this.#watched = watched;
    this.#patienceMs = patienceMs;
  }

  get isWorking(): boolean {
    return this.#watched.silentMs() <= this.#patienceMs;
  }

  /** Whether the work is silent although its stores have answered throughout. */
  get isStuck(): boolean {
    return !this.isWorking && performance.now() - this.#answersSinceMs > this.#patienceMs;
  }

  async #look(): Promise<void> {
    try {
      await this.#watched.ping();
      this.#answersSinceMs = Math.min(this.#answersSinceMs, performance.now());
    } catch (error) {
      this.#answersSinceMs = Infinity;
      throw error;
    }
  }
}
