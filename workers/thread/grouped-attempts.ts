/** Attempts of one thread, started and settled together. */
import { Group, shareQueries } from '../../db/stores/group.ts';
import type { Pool } from '../../db/stores/postgres.ts';
import {
  settleTask,
  settleTasks,
  startTask,
  startTasks,
  type End,
  type Ending,
  type Start,
  type Starting,
} from '../../db/tasks/attempts.ts';
import type { Fence } from '../../db/tasks/fence.ts';

/** Most attempts per statement. */
export const MOST_TOGETHER = 100;
/** Longest result that shares its statement with others, in characters. */
const MAX_SHARED_LENGTH = 65_536;

/**
 * What is started in one turn of the event loop, or while another statement is under way, is one statement; so is what ends. A row
 * that the statement leaves, since it is locked or cannot be written, is written alone: one after the other, so that locked rows
 * keep one connection waiting, and not all.
 */
export class GroupedAttempts {
  readonly #db: Pool;
  readonly #starts: Group<Starting, Start | undefined>;
  readonly #ends: Group<Ending, boolean>;
  readonly #alone = new Group<() => Promise<unknown>, unknown>(
    ([write]) => Promise.allSettled([write!()]),
    { most: 1 },
  );

  constructor(db: Pool) {
    this.#db = db;
    const together = { most: MOST_TOGETHER };
    this.#starts = shareQueries((starts) => startTasks(db, starts, 'skip'), together);
    this.#ends = shareQueries((ends) => settleTasks(db, ends, 'skip'), together);
  }

  /** @returns undefined when the task is finished, unknown or not due yet. */
  async start(id: string, charged: number): Promise<Start | undefined> {
    const start = await this.#starts.add({ id, charged });
    return start ?? this.#writeAlone(() => startTask(this.#db, id, charged));
  }

  /** @throws {StaleEpochError} when the fence is stale. */
  async settle(fence: Fence, end: End): Promise<void> {
    const isShared = end.kind !== 'succeeded' || end.result.length <= MAX_SHARED_LENGTH;
    if (isShared && (await this.#ends.add({ fence, end }))) return;
    const write = () => settleTask(this.#db, fence, end);
    await (isShared ? this.#writeAlone(write) : write());
  }

  async #writeAlone<T>(write: () => Promise<T>): Promise<T> {
    return (await this.#alone.add(write)) as T;
  }
}
