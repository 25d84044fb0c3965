/**
 * Shuts the process down. Warm: running jobs may finish. Cold, on a second signal: running jobs go back to the queue at
 * once. A third signal exits at once; other workers take over when the leases expire.
 */
import type { Telemetry } from './telemetry/telemetry.ts';

/** Exit code of a shutdown that did not wait for running work. */
const COLD_EXIT_CODE = 130;
/** Longest wait for running work to be given back, in milliseconds. */
const ABANDON_MS = 1000;

export interface ShutdownOptions {
  telemetry: Telemetry;
  stop(): Promise<void>;
  /** Gives running work back to the queue. */
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

  /** Exits with 0 once everything has stopped, with 1 if stopping failed. */
  warm(reason: string): void {
    if (this.#begun) return;
    this.#begun = true;
    const { telemetry, stop } = this.#options;
    telemetry.emit('process.stopping', { reason });
    const startedMs = performance.now();
    void stop().then(
      () => {
        // A cold shutdown exits with its own code.
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

export function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
