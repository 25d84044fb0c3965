/**
 * Keeps `ai.tasks`, the outbox of events and the slots of schedules from growing for ever.
 */
import type { Queryable } from '../db/postgres.ts';
import { pruneEvents } from '../db/events.ts';
import { pruneTasks } from '../db/pruning.ts';
import { pruneSlots } from '../db/schedules.ts';
import { Loop } from '../service.ts';
import type { Telemetry } from '../telemetry.ts';

/** Rows deleted in one round. */
const PAGE = 500;
/** Pause after a full page, so that it never competes with work, and when nothing is left, in milliseconds. */
const BUSY_MS = 200;
const IDLE_MS = 60_000;

/** @param retentionMs how long finished tasks and slots are kept. Any number of processes may prune. */
export function createPruning(db: Queryable, retentionMs: number, telemetry: Telemetry): Loop {
  return new Loop({
    name: 'pruning',
    onError: (error) => telemetry.emit('loop.failed', { loop: 'pruning', error }),
    async tick() {
      const rows =
        (await pruneTasks(db, retentionMs, PAGE)) +
        (await pruneEvents(db, PAGE)) +
        (await pruneSlots(db, retentionMs, PAGE));
      if (rows > 0) telemetry.emit('tasks.pruned', { rows });
      return rows >= PAGE ? BUSY_MS : IDLE_MS;
    },
  });
}
