/**
 * Keeps `ai.tasks`, the slots of schedules and what the application keeps beside from growing for ever.
 */
import type { Queryable } from '../db/stores/postgres.ts';
import { pruneTasks } from '../db/tasks/prune.ts';
import { forgetSchedules, pruneSlots } from '../db/tasks/schedules.ts';
import { Loop } from '../base/service.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';

/** Rows deleted in one round. */
const PAGE = 500;
/** Pause after a full page, so that it never competes with work, and when nothing is left, in milliseconds. */
const BUSY_MS = 200;
const IDLE_MS = 60_000;
/** A schedule that no process has moved along for so long is in no code any more, in milliseconds. */
const FORGET_MS = 3_600_000;

export interface PruningOptions {
  db: Queryable;
  /** How long finished tasks and slots are kept, in milliseconds. */
  retentionMs: number;
  /** Names of the schedules of the code. */
  schedules: readonly string[];
  /** Prunes what the application keeps beside. @returns how many rows, at most `limit`. */
  pruneMore(limit: number): Promise<number>;
  telemetry: Telemetry;
}

/** Any number of processes may prune. */
export function createPruning({
  db,
  retentionMs,
  schedules,
  pruneMore,
  telemetry,
}: PruningOptions): Loop {
  return new Loop({
    name: 'pruning',
    onError: (error) => telemetry.emit('loop.failed', { loop: 'pruning', error }),
    async tick() {
      const rows =
        (await pruneTasks(db, retentionMs, PAGE)) +
        (await pruneMore(PAGE)) +
        (await pruneSlots(db, retentionMs, PAGE));
      await forgetSchedules(db, schedules, FORGET_MS);
      if (rows > 0) telemetry.emit('tasks.pruned', { rows });
      return rows >= PAGE ? BUSY_MS : IDLE_MS;
    },
  });
}
