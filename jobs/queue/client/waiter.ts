/**
 * Waits for jobs to end without polling: one blocking read of the events for a whole process. It looks at a job when a wait
 * for it begins, at its event, and at all jobs from time to time, in case an event was missed.
 */
import { wholeFrom, type Rule } from '../../../base/options/rules.ts';
import { LONGEST_TIMER_MS, Loop, type Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { assertOptions, FUNCTION } from '../broker/check-options.ts';
import { assertJobId } from '../broker/keys.ts';
import { MAX_DURATION_MS } from '../broker/record.ts';
import { EventTail } from './events.ts';

export interface WaiterOptions {
  /** Releases those of the ids that need not be waited for: ended or unknown. May do so and then throw for the others. */
  look(ids: string[], release: (ids: Iterable<string>) => void): Promise<void>;
  onError(error: unknown): void;
  /** Longest delay before noticing an end whose event was missed, in milliseconds. Default 2,000. */
  lookEveryMs?: number | undefined;
}

const RULES: Record<keyof WaiterOptions, Rule> = {
  look: FUNCTION,
  onError: FUNCTION,
  lookEveryMs: wholeFrom(1, MAX_DURATION_MS),
};

export class Waiter implements Service {
  readonly name = 'waiter';
  readonly #options: WaiterOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** Ids to look at in the next round. */
  readonly #due = new Set<string>();
  #lookAtAllMs = 0;
  readonly #tail: EventTail;
  readonly #looking: Loop;

  /** @throws {QueueError} `OPTION_INVALID` */
  constructor(broker: Broker, options: WaiterOptions) {
    assertOptions('Waiter', options, RULES, ['look', 'onError']);
    const { onError } = options;
    this.#options = options;
    this.#tail = new EventTail(broker, {
      ended: (ids) => this.#lookAt(ids.filter((id) => this.#waiting.has(id))),
      failed: onError,
      isIdle: () => this.#waiting.size === 0,
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
    this.#release([...this.#waiting.keys()]);
  }

  /**
   * Resolves when the job ends, after `timeoutMs` or when `signal` is aborted, whichever is first.
   * @throws {QueueError} `JOB_ID_INVALID`: such an id would make the look at all ids fail
   */
  async wait(id: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    assertJobId(id);
    if (signal?.aborted === true || !(timeoutMs > 0)) return;
    await new Promise<void>((resolve) => {
      const waiters = this.#waiting.get(id) ?? new Set();
      const timer = setTimeout(() => end(), Math.min(timeoutMs, LONGEST_TIMER_MS));
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        waiters.delete(end);
        if (waiters.size === 0) this.#waiting.delete(id);
        resolve();
      };
      signal?.addEventListener('abort', end);
      this.#waiting.set(id, waiters.add(end));
      this.#tail.wake();
      // The job may have ended before anything listened.
      this.#lookAt([id]);
    });
  }

  #lookAt(ids: readonly string[]): void {
    for (const id of ids) this.#due.add(id);
    if (ids.length > 0) this.#looking.wake();
  }

  async #look(): Promise<number> {
    if (performance.now() >= this.#lookAtAllMs) {
      for (const id of this.#waiting.keys()) this.#due.add(id);
      this.#lookAtAllMs = performance.now() + (this.#options.lookEveryMs ?? 2000);
    }
    const ids = [...this.#due].filter((id) => this.#waiting.has(id));
    this.#due.clear();
    try {
      if (ids.length > 0) await this.#options.look(ids, (ended) => this.#release(ended));
    } catch (error) {
      for (const id of ids) this.#due.add(id);
      throw error;
    }
    return Math.max(0, this.#lookAtAllMs - performance.now());
  }

  #release(ids: Iterable<string>): void {
    for (const id of ids) for (const end of Array.from(this.#waiting.get(id) ?? [])) end();
  }
}
