/** Starting, stopping and repeating the long-lived parts of a process. */
import { setImmediate } from 'node:timers/promises';
import { guard } from './telemetry/guard.ts';

/** Node fires a timer with a longer delay at once. In milliseconds. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** `stop` is safe before `start` and when called twice. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts services in order. If one fails, stops those already started and rethrows; errors while stopping are dropped,
 * as they would hide why the start failed.
 */
export async function startAll(services: readonly Service[]): Promise<void> {
  const started: Service[] = [];
  for (const service of services) {
    try {
      await service.start();
      started.push(service);
    } catch (error) {
      await stopAll(started).catch(() => undefined);
      throw error;
    }
  }
}

/** Stops services in reverse order, all of them even when some fail. @throws {AggregateError} */
export async function stopAll(services: readonly Service[]): Promise<void> {
  const failures: unknown[] = [];
  for (const service of services.toReversed()) {
    try {
      await service.stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'some services did not stop cleanly');
}

export interface LoopOptions {
  name: string;
  /** One round of work. @returns the pause until the next, in milliseconds; 0 for none. */
  tick(signal: AbortSignal): Promise<number>;
  /** Called for every failed round; the loop continues. */
  onError(error: unknown): void;
  /** Cap of the error backoff, which starts at 100 ms and doubles. In milliseconds, default 5,000. */
  maxErrorDelayMs?: number;
  /** Source of jitter in [0, 1). Default `Math.random`. */
  random?: () => number;
}

/**
 * Owns sleeping, error backoff and stopping; its owner only supplies `tick`. Up to 10 % of jitter keeps processes that
 * start together out of step.
 */
export class Loop implements Service {
  readonly name: string;
  readonly #options: LoopOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #woken = false;
  #heardMs = performance.now();

  constructor(options: LoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running ??= this.#run();
  }

  /** Time since the last successful round, or since construction, in milliseconds. */
  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  /** Ends the current sleep, or skips the next one. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Aborts the signal of `tick` and waits for the current round. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      let delayMs: number;
      try {
        delayMs = await this.#options.tick(signal);
        failures = 0;
        this.#heardMs = performance.now();
      } catch (error) {
        if (signal.aborted) break;
        guard(() => this.#options.onError(error));
        delayMs = Math.min(100 * 2 ** failures++, this.#options.maxErrorDelayMs ?? 5000);
      }
      await this.#sleep(delayMs);
    }
  }

  async #sleep(delayMs: number): Promise<void> {
    if (this.#woken || delayMs <= 0 || this.#stopping.signal.aborted) {
      this.#woken = false;
      // Yields to timers, sockets and signals even if no round awaits any.
      await setImmediate();
      return;
    }
    const spread = 1 + (this.#options.random ?? Math.random)() * 0.1;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(delayMs * spread, LONGEST_TIMER_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    this.#woken = false;
  }
}
