/**
 * Shuts the process down. Warm: running jobs may finish. Cold, on a second signal: running jobs go back to the queue at
 * once. A third signal exits at once; other workers take over when the leases expire.
 */
import type { Telemetry } from './telemetry/telemetry.ts';
import { messageOf } from './thrown.ts';

/** Exit code when a thread could not be ended: a supervisor restarts the process. */
const STUCK_EXIT_CODE = 70;
/** Exit code of a shutdown that did not wait for running work. */
const COLD_EXIT_CODE = 130;
/** Longest wait for running work to be given back, in milliseconds. */
const ABANDON_MS = 1000;

export interface ShutdownOptions {
  telemetry: Telemetry;
  stop(): Promise<void>;
  /** Gives running work back to the queue. */
  abandon(): Promise<void>;
  /** Whether `process.exit` would wait for a thread that does not end. */
  isStuck(): boolean;
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
        if (this.#isCold) this.#exit(COLD_EXIT_CODE);
        if (this.#begun) this.cold(`${signal}, again`);
        else this.warm(signal);
      });
    }
  }

  /** A warm shutdown, because a thread cannot be ended. */
  stuck(): void {
    this.warm('a thread could not be ended', STUCK_EXIT_CODE);
  }

  /** Exits with 0 or `code` once everything has stopped, with 1 if stopping failed. */
  warm(reason: string, code = 0): void {
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
        this.#exit(code);
      },
      (error: unknown) => {
        if (this.#isCold) return;
        report(error);
        this.#exit(1);
      },
    );
  }

  /** Exits with 130 within about a second. */
  cold(reason: string): void {
    if (this.#isCold) return;
    this.#begun = this.#isCold = true;
    const { telemetry, abandon } = this.#options;
    telemetry.emit('process.abandoning', { reason });
    const exit = (): never => this.#exit(COLD_EXIT_CODE);
    setTimeout(exit, ABANDON_MS);
    void abandon().then(exit, exit);
  }

  /** By a signal when a thread does not end: only that ends its native call. A supervisor sees 137. */
  #exit(code: number): never {
    if (this.#options.isStuck()) process.kill(process.pid, 'SIGKILL');
    process.exit(code);
  }
}

function report(error: unknown): void {
  process.stderr.write(`${messageOf(error)}\n`);
}

export function fail(error: unknown): never {
  report(error);
  process.exit(1);
}
