/**
 * Tells a process that hangs from one whose stores are unavailable: only the first is mended by a restart.
 */
import { Loop } from './service.ts';

/** How often stores are asked, in milliseconds. */
const LOOK_MS = 1000;
/** How long the work may be silent while the stores answer, in milliseconds: three times what a reconnect takes at most. */
const PATIENCE_MS = 15_000;

export interface Watched {
  /** Time since the work is known to go on, in milliseconds. */
  silentMs(): number;
  /** Resolves when what the work depends on answers. */
  ping(): Promise<unknown>;
}

export class Watchdog extends Loop {
  readonly #watched: Watched;
  readonly #patienceMs: number;
  #answersSinceMs = Infinity;

  constructor(watched: Watched, patienceMs = PATIENCE_MS) {
    super({
      name: 'watchdog',
      // A store that is unavailable is what it is there to notice.
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

  /** Whether the work goes on, as far as is known. */
  get isWorking(): boolean {
    return this.#watched.silentMs() <= this.#patienceMs;
  }

  /** Whether the work has stopped though its stores have answered all the while. */
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
