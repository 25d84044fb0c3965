/** Accepts calls: durable ones in Postgres, then best effort in the queue; transient ones in the queue only. */
import { acceptTask, acceptWithin } from '../../../db/tasks/accept.ts';
import type { Accepted, AcceptRequest } from '../../../db/tasks/request.ts';
import { acceptPlain, isPlain } from '../../../db/tasks/accept-many.ts';
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
import type { Signature } from '../signature.ts';

/** Rows per INSERT. */
const MAX_ROWS = 1000;

export interface EnqueuerDependencies extends Known {
  db: Pool;
  broker: Broker;
  /** Called when the queue did not take an accepted task; the reconciler dispatches it later. */
  deferred(taskId: string, error: unknown): void;
}

export class Enqueuer {
  readonly #deps: EnqueuerDependencies;
  readonly #producer: Producer;
  readonly #control: Control;
  readonly #dispatches = new Set<Promise<unknown>>();

  constructor(deps: EnqueuerDependencies) {
    this.#deps = deps;
    this.#producer = new Producer(deps.broker);
    this.#control = new Control(deps.broker);
  }

  /**
   * Validates every call before accepting any.
   * @returns one result per call, in order.
   * @throws {AppError} those of `readCall`; `TASK_ID_TAKEN`, `IDEMPOTENCY_KEY_REUSED`, `QUEUE_FULL`, `STORE_UNAVAILABLE`
   */
  async enqueue(signatures: readonly Signature[]): Promise<Accepted[]> {
    const requests = signatures.map((signature) => readCall(signature, this.#deps));
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
   * @throws {AppError} those of `readCall`, `acceptWithin`; `TASK_OPTION_INVALID` when the task is not durable
   */
  async enqueueWithin(
    tx: Queryable,
    signature: Signature,
    slot?: Date,
  ): Promise<Pick<Accepted, 'id' | 'outcome'> & { dispatch: () => void }> {
    if (!signature.task.durable) {
      const message = `${signature.task.name} is not durable, so a transaction cannot include it.`;
      throw new AppError('TASK_OPTION_INVALID', { message });
    }
    const request = { ...readCall(signature, this.#deps), slot };
    const accepted = await acceptWithin(tx, request);
    const { id, outcome } = accepted;
    return { id, outcome, dispatch: () => this.#dispatch(request, accepted) };
  }

  /** Resolves once every accepted task is queued or left to the reconciler. Await it before closing the broker. */
  async idle(): Promise<void> {
    await Promise.all(this.#dispatches);
  }

  async #accept(
    requests: readonly AcceptRequest[],
    accepted: Map<AcceptRequest, Accepted>,
  ): Promise<void> {
    const { db } = this.#deps;
    try {
      // Batching saves nothing for a single request.
      const plain = requests.length > 1 ? requests.filter(isPlain) : [];
      // A fixed order prevents deadlocks with concurrent callers that insert the same ids.
      plain.sort((a, b) => (a.id < b.id ? -1 : 1));
      if (plain.length > 0) {
        const answers = await transaction(db, (tx) => acceptPages(tx, plain));
        plain.forEach((request, index) => accepted.set(request, answers[index]!));
      }
      for (const request of requests) {
        if (!accepted.has(request)) accepted.set(request, await acceptTask(db, request));
      }
    } catch (cause) {
      throw isPostgresAway(cause)
        ? markUnavailable(new AppError('STORE_UNAVAILABLE', { retryAfterSeconds: 5, cause }))
        : cause;
    } finally {
      for (const [request, answer] of accepted) this.#dispatch(request, answer);
    }
  }

  /** Not awaited: the task is accepted even when the queue is unavailable. */
  #dispatch(request: AcceptRequest, { id, outcome, delayMs }: Accepted): void {
    const { deferred } = this.#deps;
    let sent: Promise<unknown> | undefined;
    if (outcome === 'created') sent = this.#producer.enqueue(toJob({ ...request, delayMs }));
    // A debounced request postponed an existing task.
    else if (delayMs !== undefined) sent = this.#control.reschedule(id, delayMs, request.expiresMs);
    if (sent === undefined) return;
    const told = sent
      .catch((error: unknown) => deferred(id, error))
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

async function acceptPages(tx: Queryable, requests: readonly AcceptRequest[]): Promise<Accepted[]> {
  const accepted: Accepted[] = [];
  for (let from = 0; from < requests.length; from += MAX_ROWS) {
    accepted.push(...(await acceptPlain(tx, requests.slice(from, from + MAX_ROWS))));
  }
  return accepted;
}

const CODES: Partial<Record<QueueErrorCode, ErrorCode>> = {
  JOB_CONFLICT: 'TASK_ID_TAKEN',
  QUEUE_FULL: 'QUEUE_FULL',
  REDIS_UNAVAILABLE: 'STORE_UNAVAILABLE',
};
