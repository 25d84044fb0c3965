/**
 * How a process ends. Warm: what runs may come to its end. Cold, by a second signal: what runs goes back to the queue at
 * once. A third signal waits for nothing: leases run out and others take over.
 */
import type { Telemetry } from './telemetry/telemetry.ts';

/** Exit code of a process that was not left the time to end its work. */
const COLD_EXIT_CODE = 130;
/** Longest time to give work back in, in milliseconds. */
const ABANDON_MS = 1000;

export interface ShutdownOptions {
  telemetry: Telemetry;
  /** Stops everything, when everything has come to its end. */
  stop(): Promise<void>;
  /** Gives back whatever runs, and waits for nothing else. */
  abandon(): Promise<void>;
}

export class Shutdown {
  readonly #options: ShutdownOptions;
  #begun = false;
  #isCold = false;

  constructor(options: ShutdownOptions) {
    this.#options = options;
  }

  get begun(): boolean {
    return this.#begun;
  }

  onSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (this.#isCold) process.exit(COLD_EXIT_CODE);
        if (this.#begun) this.cold(`${signal}, again`);
        else this.warm(signal);
      });
    }
  }

  /** Exits with 0 once everything has stopped, with 1 if that went wrong. */
  warm(reason: string): void {
    if (this.#begun) return;
    this.#begun = true;
    const { telemetry, stop } = this.#options;
    telemetry.emit('process.stopping', { reason });
    const startedMs = performance.now();
    void stop().then(
      () => {
        // Whoever has turned it into a cold one decides how it ends.
        if (this.#isCold) return;
        const durationMs = Math.round(performance.now() - startedMs);
        telemetry.emit('process.stopped', { durationMs });
        process.exit(0);
      },
      (error: unknown) => {
        if (!this.#isCold) fail(error);
      },
    );
  }

  /** Exits with 130 within about a second. */
  cold(reason: string): void {
    if (this.#isCold) return;
    this.#begun = this.#isCold = true;
    const { telemetry, abandon } = this.#options;
    telemetry.emit('process.abandoning', { reason });
    const exit = (): never => process.exit(COLD_EXIT_CODE);
    setTimeout(exit, ABANDON_MS);
    void abandon().then(exit, exit);
  }
}

/** Says what went wrong, and ends the process with 1. */
export function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
