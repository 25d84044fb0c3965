/**
 * What every write of an attempt must still hold: a start of the task that no later one has made stale.
 */
import type { Queryable } from '../stores/postgres.ts';

export interface Fence {
  id: string;
  epoch: string;
}

/** The task has been started again elsewhere, or is finished: this owner must stop and write nothing. */
export class StaleEpochError extends Error {
  constructor(fence: Fence) {
    super(`task ${fence.id} is no longer at epoch ${fence.epoch}`);
    this.name = 'StaleEpochError';
  }
}

/** Holds the row of the task until the end of the transaction. @throws {StaleEpochError} */
export async function lockFence(tx: Queryable, fence: Fence): Promise<void> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM ai.tasks WHERE id = $1 AND epoch = $2 AND finished_at IS NULL FOR UPDATE',
    [fence.id, fence.epoch],
  );
  if (rowCount !== 1) throw new StaleEpochError(fence);
}
