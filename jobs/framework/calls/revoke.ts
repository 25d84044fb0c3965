/** Revokes tasks in both stores, Postgres first: a finished row never runs again, so a revoke works while Redis is unavailable. */
import type { Pool } from '../../../db/stores/postgres.ts';
import {
  countOpen,
  findOpen,
  revokeTasks,
  type RevokedRow,
  type TaskFilter,
} from '../../../db/tasks/ends.ts';
import { AppError } from '../../../base/errors.ts';
import { TEXT } from '../options.ts';
import { problemsOf } from '../../../base/options/rules.ts';
import type { Tasks } from '../tasks.ts';
import type { Control, RevokeWord } from '../../queue/index.ts';

interface RevokeStores {
  db: Pool;
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

/** Tasks per batch. */
const BATCH = 500;

const FILTER = { task: TEXT, userId: TEXT, subject: TEXT, queue: TEXT };

/** Transient tasks have no row to find them by. @throws {AppError} `TASK_OPTION_INVALID` */
export function assertFilter(filter: TaskFilter, tasks: Tasks): void {
  const problems = problemsOf(filter, FILTER, '');
  if (Object.values(filter).every((value) => value === undefined)) {
    problems.push('Give at least one of task, userId, subject and queue.');
  }
  if (filter.task !== undefined && tasks.find(filter.task)?.durable === false) {
    problems.push(`${filter.task} is not durable: revoke its tasks by id.`);
  }
  if (problems.length > 0) {
    throw new AppError('TASK_OPTION_INVALID', { message: problems.join(' ') });
  }
}

export interface RevokedMany {
  revoked: number;
  /** Those whose jobs stay in the queue, as Redis was unavailable; they do not run. */
  unreached: number;
}

/** Revokes in batches all unfinished durable tasks that fit, except those accepted after the call. */
export async function revokeWhere(
  { db, control }: RevokeStores,
  filter: TaskFilter,
  reason?: string,
): Promise<RevokedMany> {
  const total: RevokedMany = { revoked: 0, unreached: 0 };
  const { at: acceptedUntil } = await countOpen(db, filter);
  for (;;) {
    const ids = await findOpen(db, filter, { acceptedUntil, limit: BATCH });
    if (ids.length === 0) return total;
    const words = await revokeTasks(db, ids);
    const revoked = ids.filter((_, index) => words[index] === 'revoked');
    total.revoked += revoked.length;
    // Once Redis was unavailable, the other batches need not wait for it too.
    const isReached =
      total.unreached === 0 &&
      (await control.revoke(revoked, reason).then(
        () => true,
        () => false,
      ));
    if (!isReached) total.unreached += revoked.length;
  }
}
