/**
 * How work is asked for, followed and called off.
 */
import type { Static, TSchema } from 'typebox';
import type { Accepted } from '../../../db/tasks/request.ts';
import { AppError } from '../../../base/errors.ts';
import type { Telemetry } from '../../../base/telemetry/telemetry.ts';
import type { CallOptions, DurableCallOptions } from '../options.ts';
import { Control, Inspector, isJobId, type RevokeWord } from '../../queue/index.ts';
import { describeTask, resultOf, viewOf, type TaskResult, type TaskView } from './result.ts';
import { revoke } from './revoke.ts';
import { Enqueuer, type EnqueuerDependencies } from './enqueue.ts';
import type { Signable, Signature, TaskFacts } from '../signature.ts';
import type { TaskWaiter } from './waiter.ts';

/** Longest wait for workers to say that they ended a thread, in milliseconds. */
const TERMINATE_MS = 2000;

type Callable<P extends TSchema, R extends TSchema, O extends CallOptions> = TaskFacts<P, R> &
  Signable<P, O>;

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

export interface TaskClient {
  /**
   * Accepts a call. A durable one is stored first and then handed to the queue: it does not fail while Redis is unavailable, as
   * the reconciler hands it over later. Others go to the queue alone.
   * @throws {AppError} `TASK_PAYLOAD_INVALID`, `TASK_PAYLOAD_TOO_LARGE`, `TASK_OPTION_INVALID`, `QUEUE_UNKNOWN`, `TASK_UNKNOWN`:
   * the call is wrong, nothing was written; `TASK_ID_TAKEN`, `IDEMPOTENCY_KEY_REUSED`; `QUEUE_FULL`; `STORE_UNAVAILABLE`
   */
  enqueue: EnqueueTask & ((signature: Signature) => Promise<Accepted>);
  /** `enqueue` without options, as Celery calls it. */
  delay<P extends TSchema, R extends TSchema>(
    task: Callable<P, R, CallOptions>,
    payload: Static<P>,
  ): Promise<Accepted>;
  /** `enqueue` of a task, as Celery calls it. */
  applyAsync: EnqueueTask;
  /** Accepts many calls, all of them or none when one is wrong; a round trip for each 1,000. */
  enqueueMany(signatures: readonly Signature[]): Promise<Accepted[]>;
  /** Follows a call. With its task the result is typed. What is no id of a task is found nowhere; upper case counts as lower. */
  result<R extends TSchema = TSchema>(id: string, task?: { result: R }): TaskResult<Static<R>>;
  /** A durable task; undefined for an id that Postgres does not know. */
  find(id: string): Promise<TaskView | undefined>;
  /** Resolves when the task is finished, `timeoutMs` have passed or `signal` is aborted, whichever is first. */
  waitUntilFinished(id: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Revokes a task, waiting or running: a waiting one never starts, a running one has its signal aborted, and nothing it
   * still does counts.
   * @param options.terminate also ends the thread it runs on, for one that ignores its signal; what else runs there starts
   * again, uncharged. Default false.
   * @returns `ended` when it had ended before, revoked or not.
   */
  revoke(id: string, options?: { terminate?: boolean }): Promise<RevokeWord>;
  /**
   * Resolves once all that was accepted is in the queue, or left to the reconciler. Await it before the broker is closed:
   * what is still on its way then starts a few seconds later.
   */
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

  async function enqueueMany(signatures: readonly Signature[]): Promise<Accepted[]> {
    const accepted = await enqueuer.enqueue(signatures);
    accepted.forEach(({ id, outcome }, index) => {
      const isNew = outcome === 'created' || outcome === 'trailing';
      const event = isNew ? 'task.accepted' : 'task.repeated';
      telemetry.emit(event, { taskId: id, task: signatures[index]!.task.name });
    });
    return accepted;
  }

  async function apply(signature: Signature): Promise<Accepted> {
    const [accepted] = await enqueueMany([signature]);
    return accepted!;
  }

  const describe = (id: string) => describeTask({ db: () => db, inspector }, id);

  async function view(id: string | undefined): Promise<TaskView> {
    const found = id === undefined ? undefined : viewOf(await describe(id));
    if (found === undefined) throw new AppError('TASK_NOT_FOUND');
    return found;
  }

  return {
    enqueue: (
      work: Signature | Callable<TSchema, TSchema, CallOptions>,
      payload?: unknown,
      options = {},
    ) => apply('s' in work ? work.s(payload, options) : work),
    delay: (task, payload) => apply(task.s(payload)),
    applyAsync: (task: Callable<TSchema, TSchema, CallOptions>, payload: unknown, options = {}) =>
      apply(task.s(payload, options)),
    enqueueMany,
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
      const { row, job } = await describe(id);
      const isDurable = row.status === 'rejected' || row.value !== undefined;
      return isDurable ? viewOf({ row, job }) : undefined;
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
function toTaskId(text: string): string | undefined {
  const id = String(text).toLowerCase();
  return isJobId(id) ? id : undefined;
}
