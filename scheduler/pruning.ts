/** Deletes expired tasks, slots and application data, in any number of processes. */
import type { Queryable } from '../db/stores/postgres.ts';
import { pruneTasks, type Kept } from '../db/tasks/prune.ts';
import { forgetSchedules, pruneSlots } from '../db/tasks/schedules.ts';
import { Loop } from '../base/service.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';

/** Rows per statement. */
const PAGE = 500;
/** Pause after a full page, so that pruning never competes with work, and when nothing is left. In milliseconds. */
const BUSY_MS = 200;
const IDLE_MS = 60_000;
/** A schedule that no process has advanced for this long has left the code, in milliseconds. */
const FORGET_MS = 3_600_000;

export interface PruningOptions {
  db: Queryable;
  /** Retention of finished tasks and slots. */
  keep: Kept;
  /** Names of the schedules in the code. */
  schedules: readonly string[];
  /** Prunes further data of the application. @returns rows deleted, at most `limit`. */
  pruneMore(limit: number): Promise<number>;
  telemetry: Telemetry;
}

export function createPruning({ db, keep, schedules, pruneMore, telemetry }: PruningOptions): Loop {
  return new Loop({
    name: 'pruning',
    onError: (error) => telemetry.emit('loop.failed', { loop: 'pruning', error }),
    async tick() {
      const rows =
        (await pruneTasks(db, keep, PAGE)) +
        (await pruneMore(PAGE)) +
        (await pruneSlots(db, keep.ms, PAGE));
      await forgetSchedules(db, schedules, FORGET_MS);
      if (rows > 0) telemetry.emit('tasks.pruned', { rows });
      return rows >= PAGE ? BUSY_MS : IDLE_MS;
    },
  });
}
