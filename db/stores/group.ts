/** Group commit: items that arrive while a write is under way share the next one, so a busy process pays for few round trips. Reads too. */
import { isInstance, propertyOf, textOf } from '../../base/thrown.ts';
import { isPostgresAway } from './postgres.ts';

export interface GroupOptions {
  /** Most items per write. */
  most: number;
  /** Most writes at a time. Default 1. */
  atOnce?: number;
}

interface Waiting<T, R> {
  item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** Items added in the same turn of the event loop go together. Without a write under way they are written at once. */
export class Group<T, R> {
  readonly #write: (items: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>;
  readonly #most: number;
  readonly #atOnce: number;
  readonly #waiting: Waiting<T, R>[] = [];
  #writing = 0;
  #isScheduled = false;

  /**
   * @param write resolves once the items are committed, to one result per item, in order. When a write of several fails for a reason
   * that may lie in one of them, each is written alone.
   */
  constructor(
    write: (items: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>,
    { most, atOnce = 1 }: GroupOptions,
  ) {
    this.#write = write;
    this.#most = most;
    this.#atOnce = atOnce;
  }

  /** Settles as the item's result says, after its write. */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      while (this.#waiting.length > 0 && this.#writing < this.#atOnce) {
        this.#writing++;
        const taken = this.#waiting.splice(0, this.#most);
        void this.#settle(taken, () => {
          this.#writing--;
          this.#schedule();
        });
      }
    });
  }

  async #settle(taken: readonly Waiting<T, R>[], written?: () => void): Promise<void> {
    let results: readonly PromiseSettledResult<R>[];
    try {
      results = await this.#write(taken.map(({ item }) => item));
    } catch (error) {
      const isFinal = taken.length === 1 || !mayBeOfOne(error);
      if (isFinal) for (const { reject } of taken) reject(error);
      // Alone, and outside the limit of writes at a time, so that none delays another.
      else for (const one of taken) void this.#settle([one]);
      return;
    } finally {
      written?.();
    }
    taken.forEach(({ resolve, reject }, index) => {
      const result = results[index]!;
      if (result.status === 'fulfilled') resolve(result.value);
      else reject(result.reason);
    });
  }
}

/** A group for queries that settle all of their items at once. @param query resolves to one result per item, in order. */
export function shareQueries<T, R>(
  query: (items: readonly T[]) => Promise<readonly R[]>,
  options: GroupOptions,
): Group<T, R> {
  return new Group(async (items) => (await query(items)).map(fulfilled), options);
}

/** The end of an item that was written. */
export function fulfilled<T>(value: T): PromiseFulfilledResult<T> {
  return { status: 'fulfilled', value };
}

/** Lock timeouts, serialisation failures, deadlocks, and more locks than fit: what one item can do to the others. */
const CONTENTION = /^(40001|40P01|53200|55P03)$/;

/** Whether the write left nothing behind and may succeed without one of its items. */
function mayBeOfOne(error: unknown): boolean {
  const code = isInstance(error, Error) ? textOf(propertyOf(error, 'code')) : '';
  return CONTENTION.test(code) || !isPostgresAway(error);
}
