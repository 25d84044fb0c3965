/** Revokes tasks in both stores, Postgres first: a finished row never runs again, so a revoke works while Redis is unavailable. */
import type { Queryable } from '../../../db/stores/postgres.ts';
import { revokeTasks, type RevokedRow } from '../../../db/tasks/ends.ts';
import type { Control, RevokeWord } from '../../queue/index.ts';

interface RevokeStores {
  db: Queryable;
  control: Pick<Control, 'revoke'>;
}

export interface Revoked {
  id: string;
  /** `unknown` for a task that is not durable. */
  row: RevokedRow;
  /** Rejects while Redis is unavailable. */
  job: Promise<RevokeWord>;
}

interface RevokeOptions {
  /** Shown to operators who inspect the job. */
  reason?: string;
  /** Whether to revoke the jobs of finished rows too. Default false: such a job is most likely about to report success. */
  evenEnded?: boolean;
}

/** @returns one entry per id, in order, once Postgres has answered; the queue may still be answering. */
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
    // The caller may ignore `job`: prevent an unhandled rejection.
    job.catch(() => undefined);
    return { id, row: rows[index]!, job };
  });
}
