/** Fires a schedule: claims the slot and accepts the task in one transaction. */
import { createHash } from 'node:crypto';
import type { Queryable } from '../../../db/stores/postgres.ts';
import { claimSlot, settleSlot, type Slot } from '../../../db/tasks/schedules.ts';
import type { Enqueuer } from '../calls/enqueue.ts';
import type { Schedule } from './schedule.ts';

export type Due = Omit<Slot, 'schedule'>;

export interface Fired {
  /** `skipped`: the task of an earlier slot is unfinished. */
  outcome: 'fired' | 'skipped';
  /** The accepted task, or the unfinished one. */
  taskId: string;
  /** Enqueues the task. The caller calls it after the commit. */
  dispatch(): void;
}

/** @returns undefined when the slot was already claimed. */
export async function fire(
  tx: Queryable,
  enqueuer: Enqueuer,
  { name, call, overlap, jitterMs }: Schedule,
  due: Due,
): Promise<Fired | undefined> {
  const slot = { ...due, schedule: name };
  if (!(await claimSlot(tx, slot))) return undefined;
  const options = {
    // An unfinished task with this key blocks another.
    ...(overlap === 'skip' ? { dedupeKey: `schedule:${name}` } : {}),
    ...call.options,
    ...(jitterMs === 0 || due.askedBy !== undefined
      ? {}
      : { eta: new Date(due.slot.getTime() + jitterOf(name, due.slot, jitterMs)) }),
  };
  const signature = { ...call, options };
  const { id: taskId, ...accepted } = await enqueuer.enqueueWithin(tx, signature, due.slot);
  const outcome = accepted.outcome === 'created' ? 'fired' : 'skipped';
  await settleSlot(tx, slot, { outcome, taskId });
  return { outcome, taskId, dispatch: accepted.dispatch };
}

/** Deterministic jitter in milliseconds, less than `mostMs`. */
function jitterOf(name: string, slot: Date, mostMs: number): number {
  const digest = createHash('sha1').update(`${name}\n${slot.getTime()}`).digest();
  return digest.readUInt32BE() % mostMs;
}
