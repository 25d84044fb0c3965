/** The client: enqueues, follows and revokes tasks. */
import type { Static, TSchema } from 'typebox';
import type { Queryable } from '../../../db/stores/postgres.ts';
import type { Accepted } from '../../../db/tasks/request.ts';
import type { AcceptedGraph } from '../../../db/tasks/graphs/request.ts';
import { AppError } from '../../../base/errors.ts';
import type { Telemetry } from '../../../base/telemetry/telemetry.ts';
import type { CallOptions, DurableCallOptions } from '../options.ts';
import { Control, Inspector, isJobId, type RevokeWord } from '../../queue/index.ts';
import {
  describeTask,
  resultOf,
  viewDurable,
  viewOf,
  type TaskResult,
  type TaskView,
} from './result.ts';
import { assertFilter, revoke, revokeWhere, type RevokedMany } from './revoke.ts';
import { countOpen, type TaskFilter } from '../../../db/tasks/ends.ts';
import { Enqueuer, type EnqueuerDependencies } from './enqueue.ts';
import { createGraphs, type Graphs } from './graphs.ts';
import type { Composite } from '../canvas/composition.ts';
import { readWork } from '../canvas/read.ts';
import type { GraphOptions } from '../canvas/to-request.ts';
import type { Signable, Signature, TaskFacts } from '../signature.ts';
import type { TaskWaiter } from './waiter.ts';
import { taskReader } from '../../../db/tasks/rows.ts';

/** Longest wait for workers to confirm that they ended a thread, in milliseconds. */
const TERMINATE_MS = 2000;

type Callable<P extends TSchema, R extends TSchema, O extends CallOptions> = TaskFacts<P, R> &
  Signable<P, R, O>;

interface EnqueueTask {
  <P extends TSchema, R extends TSchema>(
    task: Callable<P, R, DurableCallOptions> & { durable: true },
    payload: Static<P>,
    options?: DurableCallOptions,
  ): Promise<Accepted>;
  <P extends TSchema, R extends TSchema>(
    task: Callable<P, R, CallOptions>,
    payload: Static<P>,
    options?: CallOptions,
  ): Promise<Accepted>;
}

interface EnqueueGraph {
  <R>(composite: Composite<R>, options?: GraphOptions): Promise<AcceptedGraph>;
}

export interface TaskClient {
  /**
   * Stores a durable call, then dispatches it; if Redis is unavailable, the reconciler does so later. Others only enter the queue.
   * @throws {AppError} `TASK_PAYLOAD_INVALID`, `TASK_PAYLOAD_TOO_LARGE`, `TASK_OPTION_INVALID`, `QUEUE_UNKNOWN`, `TASK_UNKNOWN`:
   * the call is invalid, nothing was written; `TASK_ID_TAKEN`, `IDEMPOTENCY_KEY_REUSED`; `QUEUE_FULL`; `STORE_UNAVAILABLE`
   */
  enqueue: EnqueueTask & EnqueueGraph & ((signature: Signature) => Promise<Accepted>);
  /** Compositions that were enqueued. */
  graphs: Graphs;
  /** Celery's name for `enqueue` without options. */
  delay<P extends TSchema, R extends TSchema>(
    task: Callable<P, R, CallOptions>,
    payload: Static<P>,
  ): Promise<Accepted>;
  /** Celery's name for `enqueue` of a task. */
  applyAsync: EnqueueTask;
  /**
   * Enqueues all calls, or none if one is invalid. Durable ones without a key or quota take a round trip per 1,000, and none is
   * accepted if an id of them is taken. The others take one per 100: if one is refused, those beside it are accepted, later ones not.
   */
  enqueueMany(signatures: readonly Signature[]): Promise<Accepted[]>;
  /**
   * Accepts calls of durable tasks within a transaction of the caller: they are accepted if it is committed. Call `dispatch`
   * after the commit; after a crash in between, the reconciler dispatches them.
   */
  within(tx: Queryable): {
    /** @throws {AppError} those of `enqueue`; `TASK_OPTION_INVALID` for a task that is not durable */
    enqueue(signature: Signature): Promise<Pick<Accepted, 'id' | 'outcome'> & { dispatch(): void }>;
  };
  /** Follows a task. Pass its definition to type the result. What is no id is found nowhere; upper case counts as lower case. */
  result<R extends TSchema = TSchema>(id: string, task?: { result: R }): TaskResult<Static<R>>;
  /** Finds a durable task; undefined for an id that Postgres does not know. */
  find(id: string): Promise<TaskView | undefined>;
  /** Resolves when the task ends, after `timeoutMs` or when `signal` is aborted, whichever is first. */
  waitUntilFinished(id: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Revokes a task: if waiting, it never starts; if running, its signal is aborted and its later effects do not count.
   * @param options.terminate also ends the thread of a task that ignores its signal; other jobs restart uncharged. Default false.
   * @returns `ended` if it had ended before, revoked or not.
   */
  revoke(id: string, options?: { terminate?: boolean }): Promise<RevokeWord>;
  /** How many unfinished durable tasks fit. @throws {AppError} `TASK_OPTION_INVALID` for a filter without a condition. */
  countOpen(filter: TaskFilter): Promise<number>;
  /**
   * Revokes all unfinished durable tasks that fit, in batches; works while Redis is unavailable.
   * @throws {AppError} `TASK_OPTION_INVALID` for a filter without a condition or with the name of a transient task.
   */
  revokeWhere(filter: TaskFilter): Promise<RevokedMany>;
  /** Resolves once accepted calls are queued or left to the reconciler. Closing the broker earlier delays them a few seconds. */
  idle(): Promise<void>;
}

export interface TaskClientDependencies extends Omit<EnqueuerDependencies, 'deferred'> {
  waiter: TaskWaiter;
  telemetry: Telemetry;
}

export function createTaskClient(deps: TaskClientDependencies): TaskClient {
  const { db, broker, waiter, telemetry } = deps;
  const [inspector, control] = [new Inspector(broker), new Control(broker)];
  const deferred = (taskId: string, error: unknown): void =>
    telemetry.emit('task.dispatch_deferred', { taskId, error });
  const enqueuer = new Enqueuer({ ...deps, deferred });
  const readTask = taskReader(db);

  async function enqueueMany(signatures: readonly Signature[]): Promise<Accepted[]> {
    const accepted = await enqueuer.enqueue(signatures);
    accepted.forEach((answer, index) => tell(answer, signatures[index]!));
    return accepted;
  }

  function tell({ id, outcome }: Pick<Accepted, 'id' | 'outcome'>, { task }: Signature): void {
    const isNew = outcome === 'created' || outcome === 'trailing';
    const event = isNew ? 'task.accepted' : 'task.repeated';
    telemetry.emit(event, { taskId: id, task: task.name });
  }

  async function apply(signature: Signature): Promise<Accepted> {
    const [accepted] = await enqueueMany([signature]);
    return accepted!;
  }

  async function applyGraph(composite: Composite, options: GraphOptions): Promise<AcceptedGraph> {
    const accepted = await enqueuer.enqueueGraph(composite, options);
    telemetry.emit('graph.accepted', { graphId: accepted.id, outcome: accepted.outcome });
    return accepted;
  }

  async function view(id: string | undefined): Promise<TaskView> {
    const found =
      id === undefined ? undefined : viewOf(await describeTask({ db: () => db, inspector }, id));
    if (found === undefined) throw new AppError('TASK_NOT_FOUND');
    return found;
  }

  return {
    enqueue: async (
      work: Signature | Composite | Callable<TSchema, TSchema, CallOptions>,
      given?: unknown,
      options = {},
    ): Promise<never> => {
      const isTask = typeof work === 'object' && work !== null && 'si' in work;
      const read = isTask ? work.si(given, options) : readWork(work);
      if ('shape' in read) return applyGraph(read, given ?? {}) as Promise<never>;
      return apply(read) as Promise<never>;
    },
    graphs: createGraphs({ db, control, waiter, unreached: deferred }),
    delay: (task, payload) => apply(task.si(payload)),
    applyAsync: (task: Callable<TSchema, TSchema, CallOptions>, payload: unknown, options = {}) =>
      apply(task.si(payload, options)),
    enqueueMany,
    within: (tx) => ({
      async enqueue(signature) {
        const accepted = await enqueuer.enqueueWithin(tx, signature);
        return {
          ...accepted,
          dispatch() {
            tell(accepted, signature);
            accepted.dispatch();
          },
        };
      },
    }),
    result(asked) {
      const id = toTaskId(asked);
      return {
        status: () => view(id),
        async get({ timeoutMs }) {
          if (id !== undefined) await waiter.wait(id, timeoutMs);
          return resultOf(await view(id)) as never;
        },
      };
    },
    async find(asked) {
      const id = toTaskId(asked);
      if (id === undefined) return undefined;
      const row = await readTask(id);
      if (row === undefined) return undefined;
      const isOpen = row.finished_at === null;
      const hint = isOpen ? await inspector.status(id).catch(() => undefined) : undefined;
      return viewDurable(row, hint);
    },
    async countOpen(filter) {
      assertFilter(filter, deps.tasks);
      return (await countOpen(db, filter)).tasks;
    },
    async revokeWhere(filter) {
      assertFilter(filter, deps.tasks);
      return revokeWhere({ db, control }, filter);
    },
    idle: () => enqueuer.idle(),
    async waitUntilFinished(asked, timeoutMs, signal) {
      const id = toTaskId(asked);
      if (id !== undefined) await waiter.wait(id, timeoutMs, signal);
    },
    async revoke(asked, { terminate = false } = {}) {
      const id = toTaskId(asked);
      if (id === undefined) return 'unknown';
      const [revoked] = await revoke({ db, control }, [id], { evenEnded: terminate });
      const { row, job } = revoked!;
      if (row === 'ended' && !terminate) return row;
      const heard = terminate
        ? job.then(async (word) => {
            await control.broadcast('terminate', { id }, { timeoutMs: TERMINATE_MS });
            return word;
          })
        : job;
      if (row === 'unknown') return heard;
      const late = heard.catch((error: unknown) => deferred(id, error));
      if (terminate) await late;
      return row;
    },
  };
}

/** Ids are in lower case. @returns undefined for what no task has as its id. */
function toTaskId(text: unknown): string | undefined {
  const id = typeof text === 'string' ? text.toLowerCase() : '';
  return isJobId(id) ? id : undefined;
}
