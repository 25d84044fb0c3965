/**
 * Start, stop and repeat: what every long-lived part of a process has in common.
 */
import { setImmediate } from 'node:timers/promises';

/** Longest delay a Node timer can wait, in milliseconds; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A part of a process with a life of its own. `stop` is safe before `start` and when called twice. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts services in order. If one fails, those already started are stopped and its error is passed on; what goes wrong
 * while stopping is dropped, as it would hide why the start failed.
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

/** Stops services in reverse order. Every one is asked to stop even if another fails; failures are thrown together. */
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
  /** One round of work. Returns how long to sleep until the next, in milliseconds; 0 means again at once. */
  tick(signal: AbortSignal): Promise<number>;
  /** Told of every failed round; the loop itself goes on. */
  onError(error: unknown): void;
  /** Longest pause after repeated failures, in milliseconds. The first is 100 ms, then doubling. Default 5,000. */
  maxErrorDelayMs?: number;
  /** Source of jitter in [0, 1). Default `Math.random`. */
  random?: () => number;
}

/**
 * Owns sleeping, error backoff and stopping, so that a role only supplies `tick`.
 * Sleeps are spread by up to 10 % so that processes started together do not stay in step.
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

  /** Time since a round ended well, in milliseconds; before the first one, since it was made. */
  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  /** Ends the present sleep, or skips the next one. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Aborts the signal given to `tick` and waits for the present round to end. */
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
        this.#options.onError(error);
        delayMs = Math.min(100 * 2 ** failures++, this.#options.maxErrorDelayMs ?? 5000);
      }
      await this.#sleep(delayMs);
    }
  }

  async #sleep(delayMs: number): Promise<void> {
    if (this.#woken || delayMs <= 0 || this.#stopping.signal.aborted) {
      this.#woken = false;
      // Timers, sockets and signals get their turn even if no round waits for any of them.
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
