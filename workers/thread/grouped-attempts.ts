/** Attempts of one thread, started and settled together. */
import { Group, shareQueries } from '../../db/stores/group.ts';
import type { Pool, Queryable } from '../../db/stores/postgres.ts';
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
import { endAndAdvance } from '../../db/tasks/graphs/advance.ts';
import type { ReleasedTask } from '../../db/tasks/graphs/request.ts';

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
  readonly #released: (tasks: readonly ReleasedTask[]) => void;
  readonly #starts: Group<Starting, Start | undefined>;
  readonly #ends: Group<Ending, boolean>;
  readonly #endsOfMembers: Group<Ending, boolean>;
  readonly #alone = new Group<() => Promise<unknown>, unknown>(
    ([write]) => Promise.allSettled([write!()]),
    { most: 1 },
  );

  /** @param released dispatches the tasks of graphs that may run after what has ended. Default: the reconciler does, seconds later. */
  constructor(db: Pool, released: (tasks: readonly ReleasedTask[]) => void = () => undefined) {
    this.#db = db;
    this.#released = released;
    const together = { most: MOST_TOGETHER };
    this.#starts = shareQueries((starts) => startTasks(db, starts, 'skip'), together);
    this.#ends = shareQueries((ends) => settleTasks(db, ends, 'skip'), together);
    this.#endsOfMembers = shareQueries(
      (ends) => this.#endMembers(ends, (tx) => settleTasks(tx, ends, 'skip')),
      together,
    );
  }

  /** @returns undefined when the task is finished, unknown or not due yet. */
  async start(id: string, charged: number): Promise<Start | undefined> {
    const start = await this.#starts.add({ id, charged });
    return start ?? this.#writeAlone(() => startTask(this.#db, id, charged));
  }

  /** @param isMember whether the task belongs to a graph, which then goes on. Default false. @throws {StaleEpochError} when the fence is stale. */
  async settle(fence: Fence, end: End, isMember = false): Promise<void> {
    const isShared = end.kind !== 'succeeded' || end.result.length <= MAX_SHARED_LENGTH;
    const advances = isMember && (end.kind === 'succeeded' || end.kind === 'failed');
    const group = advances ? this.#endsOfMembers : this.#ends;
    if (isShared && (await group.add({ fence, end }))) return;
    const write = async () => {
      if (!advances) return settleTask(this.#db, fence, end);
      await this.#endMembers([{ fence, end }], (tx) => settleTask(tx, fence, end));
    };
    await (isShared ? this.#writeAlone(write) : write());
  }

  async #endMembers<T>(ends: readonly Ending[], end: (tx: Queryable) => Promise<T>): Promise<T> {
    const ids = ends.map(({ fence }) => fence.id);
    const { ended, released } = await endAndAdvance(this.#db, ids, end);
    this.#released(released);
    return ended;
  }

  async #writeAlone<T>(write: () => Promise<T>): Promise<T> {
    return (await this.#alone.add(write)) as T;
  }
}
