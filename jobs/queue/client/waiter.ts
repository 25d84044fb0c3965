/** Awaits jobs without polling: one blocking read of events per process. On each event, or after 2 s, it looks at all ids once. */
import { Loop, type Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { EventTail } from './events.ts';

export interface WaiterOptions {
  /** Returns the ids that need no more waiting: ended or unknown. */
  look(ids: string[]): Promise<Iterable<string>>;
  onError(error: unknown): void;
  /** Longest delay before noticing an end whose event was missed, in milliseconds. Default 2,000. */
  lookEveryMs?: number | undefined;
}

export class Waiter implements Service {
  readonly name = 'waiter';
  readonly #options: WaiterOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #tail: EventTail;
  readonly #looking: Loop;

  constructor(broker: Broker, options: WaiterOptions) {
    const { onError } = options;
    this.#options = options;
    this.#tail = new EventTail(broker, {
      ended: (ids) => {
        if (ids.some((id) => this.#waiting.has(id))) this.#looking.wake();
      },
      failed: onError,
    });
    this.#looking = new Loop({ name: this.name, tick: () => this.#look(), onError });
  }

  async start(): Promise<void> {
    await this.#tail.start();
    await this.#looking.start();
  }

  /** Ends all waits. */
  async stop(): Promise<void> {
    await this.#tail.stop();
    await this.#looking.stop();
    for (const id of this.#waiting.keys()) this.#release(id);
  }

  /** Resolves when the job ends, after `timeoutMs` or when `signal` is aborted, whichever is first. */
  async wait(id: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true || timeoutMs <= 0) return;
    await new Promise<void>((resolve) => {
      const waiters = this.#waiting.get(id) ?? new Set();
      const timer = setTimeout(() => end(), timeoutMs);
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        waiters.delete(end);
        if (waiters.size === 0) this.#waiting.delete(id);
        resolve();
      };
      signal?.addEventListener('abort', end);
      this.#waiting.set(id, waiters.add(end));
      // The job may have ended before this process listened.
      this.#looking.wake();
    });
  }

  async #look(): Promise<number> {
    const ids = [...this.#waiting.keys()];
    if (ids.length > 0) for (const id of await this.#options.look(ids)) this.#release(id);
    return this.#options.lookEveryMs ?? 2000;
  }

  #release(id: string): void {
    for (const end of Array.from(this.#waiting.get(id) ?? [])) end();
  }
}
