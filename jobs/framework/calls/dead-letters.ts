/**
 * Dead letters across both stores. Postgres is told first: a job of a durable task that comes back while its row is
 * finished finds nothing to run, and one that is forgotten while its row is not is dispatched anew by the reconciler.
 *
 * | row of a dead letter | how that comes about | requeue | purge |
 * |---|---|---|---|
 * | `error` | its last attempt failed and said so | reopened | stays |
 * | unfinished | its thread died or overran; the reconciler has not looked yet | reopened | closed as failed |
 * | `revoked` | it was revoked in that time | reopened | stays |
 * | `done` | it died between its success and telling the queue of it | left: the job finds nothing to run | stays |
 * | none | its task is not durable, or the row was deleted | the queue alone | the queue alone |
 */
import type { Pool } from '../../../db/stores/postgres.ts';
import { closeTask, findEpochs } from '../../../db/tasks/ends.ts';
import { reopenTask, type OnReopen } from '../../../db/tasks/requeue.ts';
import { ERRORS } from '../../../base/errors.ts';
import type { Tasks } from '../tasks.ts';
import type { Control, Inspector, JobStatus } from '../../queue/index.ts';
import { toErrorCode } from './result.ts';

export interface DeadLetterStores {
  tasks: Tasks;
  inspector: Inspector;
  control: Control;
  /** Asked only for tasks that may have a row. */
  db(): Pool;
  /** What else keeps records of a task, told of its other life. */
  onReopen?: OnReopen | undefined;
}

/**
 * `newer`: the same work has been asked for again since and is under way, so this stays; `not_failed`: it is no dead
 * letter.
 */
export type RequeueWord = 'requeued' | 'newer' | 'not_failed';

/** How long the reconciler leaves a reopened row alone, in milliseconds: it would take the dead letter for its end. */
const QUIET_MS = 30_000;
const PAGE = 500;

/** Gives dead letters another life, with nothing charged. @returns one word each, in order. */
export async function requeueDeadLetters(
  stores: DeadLetterStores,
  ids: readonly string[],
): Promise<RequeueWord[]> {
  const words = new Map<string, RequeueWord>();
  for (const status of await stores.inspector.statuses(ids)) {
    words.set(status.id, await reopen(stores, status));
  }
  const ready = [...words].flatMap(([id, word]) => (word === 'requeued' ? [id] : []));
  const heard = await stores.control.requeue(ready);
  ready.forEach((id, index) => words.set(id, heard[index]!));
  return ids.map((id) => words.get(id)!);
}

async function reopen(
  { db, tasks, onReopen }: DeadLetterStores,
  { id, state, job }: JobStatus,
): Promise<RequeueWord> {
  if (state !== 'failed') return 'not_failed';
  if (!mayHaveRow(tasks, job?.task)) return 'requeued';
  return (await reopenTask(db(), id, QUIET_MS, onReopen)) === 'newer' ? 'newer' : 'requeued';
}

/** Forgets every dead letter. @returns how many. */
export async function purgeDeadLetters(stores: DeadLetterStores): Promise<number> {
  for await (const page of pagesOf(stores.inspector)) {
    const ids = page.flatMap(({ id, job }) => (mayHaveRow(stores.tasks, job?.task) ? [id] : []));
    if (ids.length > 0) await closeRows(stores, ids);
  }
  return stores.control.purgeFailed();
}

/** The queue is asked again once the epochs are known: somebody may have given these dead letters another life meanwhile. */
async function closeRows(stores: DeadLetterStores, ids: readonly string[]): Promise<void> {
  const epochs = await findEpochs(stores.db(), ids);
  for (const { id, state, reason } of await stores.inspector.statuses(ids)) {
    const epoch = epochs.get(id);
    if (state !== 'failed' || epoch === undefined) continue;
    const code = toErrorCode(reason?.code);
    await closeTask(stores.db(), id, 'error', { code, message: ERRORS[code].message }, epoch);
  }
}

/** All of them, the oldest of each shard first. */
export async function* deadLetters(inspector: Inspector): AsyncGenerator<JobStatus> {
  for await (const page of pagesOf(inspector)) yield* page;
}

async function* pagesOf(inspector: Inspector): AsyncGenerator<JobStatus[]> {
  for (let offset = 0; ; offset += PAGE) {
    const page = await inspector.page({ list: 'failed' }, { offset, limit: PAGE });
    yield page;
    if (page.length < PAGE) return;
  }
}

/** A task nobody knows here may have been durable. */
function mayHaveRow(tasks: Tasks, name: string | undefined): boolean {
  return name === undefined || tasks.find(name)?.durable !== false;
}
