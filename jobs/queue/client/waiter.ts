/**
 * Waits for jobs to end without polling: one blocking read of the events for a whole process. An event, or every 2 s the
 * chance that one was missed, makes it look once at all ids that callers wait for.
 */
import { wholeFrom, type Rule } from '../../../base/options/rules.ts';
import { LONGEST_TIMER_MS, Loop, type Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { assertOptions, FUNCTION } from '../broker/check-options.ts';
import { assertJobId } from '../broker/keys.ts';
import { MAX_DURATION_MS } from '../broker/record.ts';
import { EventTail } from './events.ts';

export interface WaiterOptions {
  /** Returns those of the ids that need not be waited for: ended or unknown. */
  look(ids: string[]): Promise<Iterable<string>>;
  onError(error: unknown): void;
  /** Longest time an end may go unnoticed when its event was missed, in milliseconds. Default 2,000. */
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
  readonly #tail: EventTail;
  readonly #looking: Loop;

  /** @throws {QueueError} `OPTION_INVALID` */
  constructor(broker: Broker, options: WaiterOptions) {
    assertOptions('Waiter', options, RULES, ['look', 'onError']);
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

  /** Ends every wait. */
  async stop(): Promise<void> {
    await this.#tail.stop();
    await this.#looking.stop();
    for (const id of this.#waiting.keys()) this.#release(id);
  }

  /**
   * Resolves when the job has ended, `timeoutMs` have passed or `signal` is aborted, whichever is first.
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
      // The job may have ended before anything listened.
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
