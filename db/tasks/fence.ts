/** Fencing: an attempt may write only while its epoch is the current one. */
import type { Queryable } from '../stores/postgres.ts';

export interface Fence {
  id: string;
  epoch: string;
}

/** The task was started elsewhere or has finished: this owner must stop and write nothing. */
export class StaleEpochError extends Error {
  constructor(fence: Fence) {
    super(`task ${fence.id} is no longer at epoch ${fence.epoch}`);
    this.name = 'StaleEpochError';
  }
}

/** The row of the task with id $1 if its epoch is $2, in SQL, locked until the transaction ends. */
export const FENCED_ROW =
  'FROM ai.tasks WHERE id = $1 AND epoch = $2 AND finished_at IS NULL FOR UPDATE';

/** Locks the task's row until the transaction ends. @throws {StaleEpochError} */
export async function lockFence(tx: Queryable, fence: Fence): Promise<void> {
  const { rowCount } = await tx.query(`SELECT 1 ${FENCED_ROW}`, [fence.id, fence.epoch]);
  if (rowCount !== 1) throw new StaleEpochError(fence);
}
