/**
 * Revoking tasks across both stores, Postgres first: a job that ends in between finds its row closed, and what Postgres has ended
 * never starts again, whether the queue hears of it or not. So a durable task is revoked while Redis is unavailable.
 */
import type { Queryable } from '../../../db/stores/postgres.ts';
import { revokeTasks, type RevokedRow } from '../../../db/tasks/ends.ts';
import type { Control, RevokeWord } from '../../queue/index.ts';

export interface RevokeStores {
  db: Queryable;
  control: Pick<Control, 'revoke'>;
}

export interface Revoked {
  id: string;
  /** What came of its row; `unknown` for a task that is not durable. */
  row: RevokedRow;
  /** What came of its job. Rejects while Redis is unavailable. */
  job: Promise<RevokeWord>;
}

export interface RevokeOptions {
  /** Why, in a sentence for those who look at the job later. */
  reason?: string;
  /**
   * Whether the queue also revokes jobs whose row has ended: one may still run. Default false: it is most likely about to tell the
   * queue of its success.
   */
  evenEnded?: boolean;
}

/** @returns once Postgres has answered, in the order of the ids; the queue may still be on its way. */
export async function revoke(
  { db, control }: RevokeStores,
  ids: readonly string[],
  { reason, evenEnded = false }: RevokeOptions = {},
): Promise<Revoked[]> {
  const rows = await revokeTasks(db, ids);
  const open = ids.filter((_, index) => evenEnded || rows[index] !== 'ended');
  const jobs = control
    .revoke(open, reason)
    .then((words) => new Map(open.map((id, index) => [id, words[index]!])));
  return ids.map((id, index) => {
    const job = jobs.then((words) => words.get(id) ?? 'ended');
    // The caller may have no use for it.
    job.catch(() => undefined);
    return { id, row: rows[index]!, job };
  });
}
