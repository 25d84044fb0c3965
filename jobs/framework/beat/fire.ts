/**
 * How a schedule starts its task: in one transaction with the slot that is remembered.
 */
import { createHash } from 'node:crypto';
import type { Queryable } from '../../../db/stores/postgres.ts';
import { claimSlot, settleSlot, type Slot } from '../../../db/tasks/schedules.ts';
import type { Enqueuer } from '../calls/enqueue.ts';
import type { Schedule } from './schedule.ts';

export type Due = Omit<Slot, 'schedule'>;

export interface Fired {
  /** `skipped`: the task of an earlier slot has not ended. */
  outcome: 'fired' | 'skipped';
  /** The task that was accepted, or the one that has not ended. */
  taskId: string;
  /** Hands the task to the queue. Call it once the transaction is committed. */
  dispatch(): void;
}

/** @returns undefined when the slot has been dealt with before. */
export async function fire(
  tx: Queryable,
  enqueuer: Enqueuer,
  { name, call, overlap, jitterMs }: Schedule,
  due: Due,
): Promise<Fired | undefined> {
  const slot = { ...due, schedule: name };
  if (!(await claimSlot(tx, slot))) return undefined;
  const options = {
    // An unfinished task of this key stands in the way of another.
    ...(overlap === 'skip' ? { dedupeKey: `schedule:${name}` } : {}),
    ...call.options,
    ...(jitterMs === 0 || due.askedBy !== undefined
      ? {}
      : { eta: new Date(due.slot.getTime() + jitterOf(name, due.slot, jitterMs)) }),
  };
  const { id: taskId, ...accepted } = await enqueuer.enqueueWithin(tx, { ...call, options });
  const outcome = accepted.outcome === 'created' ? 'fired' : 'skipped';
  await settleSlot(tx, slot, { outcome, taskId });
  return { outcome, taskId, dispatch: accepted.dispatch };
}

/** In milliseconds, less than `mostMs`; the same whoever asks. */
function jitterOf(name: string, slot: Date, mostMs: number): number {
  const digest = createHash('sha1').update(`${name}\n${slot.getTime()}`).digest();
  return digest.readUInt32BE() % mostMs;
}
