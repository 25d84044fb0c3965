/**
 * Requeues and purges dead letters in both stores, Postgres first: a job requeued before its row is reopened would not run, and the
 * reconciler would dispatch a purged job again while its row is unfinished.
 *
 * | row | cause | requeue | purge |
 * |---|---|---|---|
 * | `error` | the last attempt recorded its failure | reopened | kept |
 * | unfinished | the thread died or overran; the reconciler has not checked the row yet | reopened | closed as failed |
 * | `revoked` | the task was revoked before that check | reopened | kept |
 * | `done` | the worker died between the success and telling the queue | row kept; the job does not run | kept |
 * | none | the task is not durable, or its row was deleted | queue only | queue only |
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
  /** Called only for tasks that may have a row. */
  db(): Pool;
  /** Lets the owner of other records of a task react to a requeue. */
  onReopen?: OnReopen | undefined;
}

/** `newer`: a later request for the same work is in progress, so the dead letter stays; `not_failed`: no dead letter. */
export type RequeueWord = 'requeued' | 'newer' | 'not_failed';

/** How long the reconciler skips a reopened row, in milliseconds: it would close the row on seeing the dead letter. */
const QUIET_MS = 30_000;
const PAGE = 500;

/** Requeues dead letters with no attempts charged. @returns one word per id, in order. */
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

/** Deletes every dead letter. @returns the number deleted. */
export async function purgeDeadLetters(stores: DeadLetterStores): Promise<number> {
  for await (const page of pagesOf(stores.inspector)) {
    const ids = page.flatMap(({ id, job }) => (mayHaveRow(stores.tasks, job?.task) ? [id] : []));
    if (ids.length > 0) await closeRows(stores, ids);
  }
  return stores.control.purgeFailed();
}

/** Deletes some dead letters, as `purgeDeadLetters` does all. @returns whether each was one, in order. */
export async function removeDeadLetters(
  stores: DeadLetterStores,
  ids: readonly string[],
): Promise<boolean[]> {
  const letters = await stores.inspector.statuses(ids);
  const durable = letters.flatMap(({ id, job }) =>
    mayHaveRow(stores.tasks, job?.task) ? [id] : [],
  );
  if (durable.length > 0) await closeRows(stores, durable);
  const words = await stores.control.removeFailed(ids);
  return words.map((word) => word === 'removed');
}

/** Asks the queue again after reading the epochs: another process may have requeued a job in between. */
async function closeRows(stores: DeadLetterStores, ids: readonly string[]): Promise<void> {
  const epochs = await findEpochs(stores.db(), ids);
  for (const { id, state, reason } of await stores.inspector.statuses(ids)) {
    const epoch = epochs.get(id);
    if (state !== 'failed' || epoch === undefined) continue;
    const code = toErrorCode(reason?.code);
    await closeTask(stores.db(), id, 'error', { code, message: ERRORS[code].message }, epoch);
  }
}

/** All dead letters, oldest first within each shard. */
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

/** An unknown task may have been durable. */
function mayHaveRow(tasks: Tasks, name: string | undefined): boolean {
  return name === undefined || tasks.find(name)?.durable !== false;
}
