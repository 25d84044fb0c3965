/** Accepts calls: durable ones in Postgres, then best effort in the queue; transient ones in the queue only. */
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Acceptor } from '../../../db/tasks/acceptor.ts';
import type { Accepted, AcceptRequest } from '../../../db/tasks/request.ts';
import {
  isPostgresAway,
  transaction,
  type Pool,
  type Queryable,
} from '../../../db/stores/postgres.ts';
import { markUnavailable } from '../../../db/stores/unavailable.ts';
import { AppError, type ErrorCode } from '../../../base/errors.ts';
import { readCall, type Known } from './read-call.ts';
import { toJob } from './to-job.ts';
import {
  Control,
  Producer,
  QueueError,
  type Broker,
  type QueueErrorCode,
} from '../../queue/index.ts';
import { acceptGraph } from '../../../db/tasks/graphs/store.ts';
import type { AcceptedGraph, ReleasedTask } from '../../../db/tasks/graphs/request.ts';
import type { Composite } from '../canvas/composition.ts';
import { readSignature } from '../canvas/read.ts';
import { toGraphRequest, type GraphOptions } from '../canvas/to-request.ts';
import type { Signature } from '../signature.ts';

export interface EnqueuerDependencies extends Known {
  db: Pool;
  broker: Broker;
  /** Called when the queue did not take an accepted task; the reconciler dispatches it later. */
  deferred(taskId: string, error: unknown): void;
}

export class Enqueuer {
  readonly #deps: EnqueuerDependencies;
  readonly #acceptor: Acceptor;
  readonly #producer: Producer;
  readonly #control: Control;
  readonly #dispatches = new Set<Promise<unknown>>();

  constructor(deps: EnqueuerDependencies) {
    this.#deps = deps;
    this.#acceptor = new Acceptor(deps.db);
    this.#producer = new Producer(deps.broker);
    this.#control = new Control(deps.broker);
  }

  /**
   * Validates every call before accepting any.
   * @returns one result per call, in order.
   * @throws {AppError} those of `readCall`; `GRAPH_INVALID` for what is no signature; `TASK_ID_TAKEN`, `IDEMPOTENCY_KEY_REUSED`, `QUEUE_FULL`, `STORE_UNAVAILABLE`
   */
  async enqueue(signatures: readonly Signature[]): Promise<Accepted[]> {
    const requests = signatures.map((signature) => readCall(readSignature(signature), this.#deps));
    const durable = requests.filter((_, index) => signatures[index]!.task.durable);
    const accepted = new Map<AcceptRequest, Accepted>();
    await this.#accept(durable, accepted);
    const transient = requests.filter((request) => !accepted.has(request));
    await Promise.all(
      transient.map(async (request) =>
        accepted.set(request, await this.#enqueueTransient(request)),
      ),
    );
    return requests.map((request) => accepted.get(request)!);
  }

  /**
   * Accepts a durable call within a transaction. The caller calls `dispatch` after the commit.
   * @param slot the slot of the schedule that makes the call.
   * @throws {AppError} those of `readCall`, `acceptTask`; `TASK_OPTION_INVALID` when the task is not durable
   */
  async enqueueWithin(
    tx: Queryable,
    signature: Signature,
    slot?: Date,
  ): Promise<Pick<Accepted, 'id' | 'outcome'> & { dispatch: () => void }> {
    if (!readSignature(signature).task.durable) {
      const message = `${signature.task.name} is not durable, so a transaction cannot include it.`;
      throw new AppError('TASK_OPTION_INVALID', { message });
    }
    const request = { ...readCall(signature, this.#deps), slot };
    const accepted = await acceptTask(tx, request);
    const { id, outcome } = accepted;
    return { id, outcome, dispatch: () => this.#dispatch(request, accepted) };
  }

  /**
   * Accepts a composition: all of its tasks or none.
   * @throws {AppError} those of `toGraphRequest`; `TASK_ID_TAKEN`, `IDEMPOTENCY_KEY_REUSED`, `QUOTA_EXCEEDED`, `STORE_UNAVAILABLE`
   */
  async enqueueGraph(composite: Composite, options: GraphOptions): Promise<AcceptedGraph> {
    const request = toGraphRequest(composite, options, this.#deps);
    const accept = () => transaction(this.#deps.db, (tx) => acceptGraph(tx, request));
    const { released, ...accepted } = await accept().catch(throwUnavailable);
    this.dispatch(released);
    return accepted;
  }

  /** As `enqueueGraph`, within a transaction, after whose commit the caller calls `dispatch`. */
  async enqueueGraphWithin(
    tx: Queryable,
    composite: Composite,
    options: GraphOptions,
  ): Promise<AcceptedGraph & { dispatch: () => void }> {
    const request = toGraphRequest(composite, options, this.#deps);
    const { released, ...accepted } = await acceptGraph(tx, request);
    return { ...accepted, dispatch: () => this.dispatch(released) };
  }

  /** Sends tasks of graphs to the queue, as best effort. */
  dispatch(released: readonly ReleasedTask[]): void {
    for (const task of released) this.#send(task.id, this.#producer.enqueue(toJob(task)));
  }

  /** Resolves once every accepted task is queued or left to the reconciler. Await it before closing the broker. */
  async idle(): Promise<void> {
    await Promise.all(this.#dispatches);
  }

  async #accept(
    requests: readonly AcceptRequest[],
    accepted: Map<AcceptRequest, Accepted>,
  ): Promise<void> {
    await this.#acceptor
      .acceptMany(requests, (request, answer) => {
        accepted.set(request, answer);
        this.#dispatch(request, answer);
      })
      .catch(throwUnavailable);
  }

  /** Not awaited: the task is accepted even when the queue is unavailable. */
  #dispatch(request: AcceptRequest, { id, outcome, delayMs }: Accepted): void {
    if (outcome === 'created')
      this.#send(id, this.#producer.enqueue(toJob({ ...request, delayMs })));
    // A debounced request postponed an existing task.
    else if (delayMs !== undefined) {
      this.#send(id, this.#control.reschedule(id, delayMs, request.expiresMs));
    }
  }

  #send(id: string, sent: Promise<unknown>): void {
    const told = sent
      .catch((error: unknown) => this.#deps.deferred(id, error))
      .finally(() => this.#dispatches.delete(told));
    this.#dispatches.add(told);
  }

  async #enqueueTransient(request: AcceptRequest): Promise<Accepted> {
    try {
      const outcome = await this.#producer.enqueue(toJob(request));
      return {
        id: request.id,
        status: 'queued',
        outcome: outcome === 'added' ? 'created' : 'repeated',
      };
    } catch (cause) {
      const code = cause instanceof QueueError ? CODES[cause.code] : undefined;
      if (code === undefined) throw cause;
      const error = new AppError(code, { cause });
      throw code === 'STORE_UNAVAILABLE' ? markUnavailable(error) : error;
    }
  }
}

function throwUnavailable(cause: unknown): never {
  throw isPostgresAway(cause)
    ? markUnavailable(new AppError('STORE_UNAVAILABLE', { retryAfterSeconds: 5, cause }))
    : cause;
}

const CODES: Partial<Record<QueueErrorCode, ErrorCode>> = {
  JOB_CONFLICT: 'TASK_ID_TAKEN',
  QUEUE_FULL: 'QUEUE_FULL',
  REDIS_UNAVAILABLE: 'STORE_UNAVAILABLE',
};
