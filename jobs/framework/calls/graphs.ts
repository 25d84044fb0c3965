/** Follows and revokes graphs. */
import { AppError } from '../../../base/errors.ts';
import { transaction, type Pool } from '../../../db/stores/postgres.ts';
import { endGraph, lockGraph } from '../../../db/tasks/graphs/advance.ts';
import {
  countTasks,
  findGraph,
  findOpenTask,
  findOutput,
  listTasks,
  type GraphMember,
  type GraphRow,
  type GraphTotals,
} from '../../../db/tasks/graphs/read.ts';
import { isJobId, type Control } from '../../queue/index.ts';
import type { TaskWaiter } from './waiter.ts';

/** Tasks per call of the queue. */
const BATCH = 500;
/** Longest delay before noticing the end of a graph that only follows tasks, in milliseconds. */
const LOOK_MS = 500;

export type GraphView = GraphRow & GraphTotals;

/** Most tasks that `tasks` lists. */
const MOST_LISTED = 1000;

export interface GraphResult<T = unknown> {
  /** @throws {AppError} `GROUP_NOT_FOUND` */
  status(): Promise<GraphView>;
  /** What has succeeded so far, in the shape of the result; null for the rest. @throws {AppError} `GROUP_NOT_FOUND` */
  partial(): Promise<unknown>;
  /** @throws {AppError} the code of the task that failed first; `TASK_REVOKED`; `TASK_TIMEOUT` after `timeoutMs`; `GROUP_NOT_FOUND` */
  get(options: { timeoutMs: number }): Promise<T>;
}

export interface Graphs {
  /** Undefined for an id that no graph has. */
  find(id: string): Promise<GraphView | undefined>;
  result<T = unknown>(id: string): GraphResult<T>;
  /** Its first 1,000 tasks, in the order of the composition. */
  tasks(id: string): Promise<GraphMember[]>;
  /** Resolves when the graph ends, after `timeoutMs` or when `signal` is aborted, whichever is first. */
  waitUntilFinished(id: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** What has not run never runs, and what runs is told to stop. @returns the number of tasks revoked; undefined for an unknown id. */
  revoke(id: string): Promise<number | undefined>;
}

/** Undefined for what is no id, from a caller without types. */
function idOf(asked: string): string | undefined {
  const id = typeof asked === 'string' ? asked.toLowerCase() : undefined;
  return id !== undefined && isJobId(id) ? id : undefined;
}

export interface GraphsDependencies {
  db: Pool;
  control: Control;
  waiter: TaskWaiter;
  /** Called with a task that was revoked while Redis was unavailable: its job stays in the queue, and does not run. */
  unreached(taskId: string, error: unknown): void;
}

export function createGraphs({ db, control, waiter, unreached }: GraphsDependencies): Graphs {
  async function findRow(asked: string): Promise<GraphRow | undefined> {
    const id = idOf(asked);
    return id === undefined ? undefined : findGraph(db, id);
  }

  async function find(id: string): Promise<GraphView | undefined> {
    const row = await findRow(id);
    return row && { ...row, ...(await countTasks(db, row.id)) };
  }

  function known<T>(found: T | undefined): T {
    if (found === undefined) throw new AppError('GROUP_NOT_FOUND');
    return found;
  }

  async function waitUntilFinished(asked: string, timeoutMs: number, signal?: AbortSignal) {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || signal?.aborted === true) return;
      const row = await findRow(asked);
      if (row === undefined || row.finished_at !== null) return;
      const { id } = row;
      // It has not ended before this one has.
      const open = await findOpenTask(db, id);
      // The scheduler is yet to look at what it follows.
      if (open === undefined) await waiter.wait(id, Math.min(leftMs, LOOK_MS), signal);
      else await waiter.wait(open, leftMs, signal);
    }
  }

  return {
    find,
    async tasks(asked) {
      const id = idOf(asked);
      return id === undefined ? [] : listTasks(db, id, MOST_LISTED);
    },
    waitUntilFinished,
    result: (id) => ({
      status: async () => known(await find(id)),
      async partial() {
        const row = known(await findRow(id));
        return findOutput(db, row.id, row.output, true);
      },
      async get({ timeoutMs }) {
        await waitUntilFinished(id, timeoutMs);
        const row = known(await findRow(id));
        const { status, output, error_code: code, error_message: message } = row;
        if (status === 'done') return (await findOutput(db, row.id, output)) as never;
        if (status === 'running') throw new AppError('TASK_TIMEOUT');
        if (status === 'revoked') throw new AppError('TASK_REVOKED');
        throw new AppError(code ?? 'TASK_FAILED', message === null ? {} : { message });
      },
    }),
    async revoke(asked) {
      const row = await findRow(asked);
      if (row === undefined) return undefined;
      const { id } = row;
      const revoked = await transaction(db, async (tx) => {
        await lockGraph(tx, id);
        return endGraph(tx, id, 'TASK_REVOKED');
      });
      for (let from = 0; from < revoked.length; from += BATCH) {
        const batch = revoked.slice(from, from + BATCH);
        control.revoke(batch).catch((error: unknown) => unreached(batch[0]!, error));
      }
      return revoked.length;
    },
  };
}
