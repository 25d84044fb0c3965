/**
 * Waits for tasks to end without asking again and again: one blocking read of the queue's events for a whole process. An
 * event, or every 2 s the doubt that one was missed, makes it ask once for all ids waited for: Postgres, and Redis about
 * those that Postgres does not know.
 */
import type { Queryable } from '../../../db/stores/postgres.ts';
import { findEnds } from '../../../db/tasks/rows.ts';
import { Loop, type Service } from '../../../base/service.ts';
import { EventTail, Inspector, type Broker, type JobState } from '../../queue/index.ts';

/** Longest time an end may go unnoticed, in milliseconds. */
const DOUBT_MS = 2000;
/** States that change no more; what nobody knows is not waited for. */
const ENDED: ReadonlySet<JobState> = new Set(['succeeded', 'failed', 'revoked', 'unknown']);

export class TaskWaiter implements Service {
  readonly name = 'task waiter';
  readonly #db: Queryable;
  readonly #inspector: Inspector;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #tail: EventTail;
  readonly #asking: Loop;

  constructor(db: Queryable, broker: Broker, onError: (error: unknown) => void) {
    this.#db = db;
    this.#inspector = new Inspector(broker);
    this.#tail = new EventTail(broker, {
      ended: (ids) => {
        if (ids.some((id) => this.#waiting.has(id))) this.#asking.wake();
      },
      failed: onError,
    });
    this.#asking = new Loop({ name: 'task waiter', tick: () => this.#ask(), onError });
  }

  async start(): Promise<void> {
    await this.#tail.start();
    await this.#asking.start();
  }

  async stop(): Promise<void> {
    await this.#tail.stop();
    await this.#asking.stop();
    for (const id of this.#waiting.keys()) this.#release(id);
  }

  /** Resolves when the task is finished, `timeoutMs` have passed or `signal` is aborted, whichever is first. */
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
      // It may have ended before anyone listened.
      this.#asking.wake();
    });
  }

  async #ask(): Promise<number> {
    if (this.#waiting.size === 0) return DOUBT_MS;
    const ids = [...this.#waiting.keys()];
    const durable = await findEnds(this.#db, ids);
    for (const { id, finished } of durable) if (finished) this.#release(id);
    const known = new Set(durable.map(({ id }) => id));
    const others = ids.filter((id) => !known.has(id));
    for (const { id, state } of await this.#inspector.statuses(others)) {
      if (ENDED.has(state)) this.#release(id);
    }
    return DOUBT_MS;
  }

  #release(id: string): void {
    for (const end of Array.from(this.#waiting.get(id) ?? [])) end();
  }
}
