/**
 * Results of jobs, for users of the queue without the task framework.
 */
import type { Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { QueueError } from '../broker/errors.ts';
import { assertJobId } from '../broker/keys.ts';
import { Inspector, isSettled, type JobStatus } from './inspector.ts';
import { Waiter } from './waiter.ts';

export class Results implements Service {
  readonly name = 'results';
  readonly #inspector: Inspector;
  readonly #waiter: Waiter;

  /** @param lookEveryMs longest time an end may go unnoticed when its event was missed, in milliseconds. Default 2,000. */
  constructor(
    broker: Broker,
    onError: (error: unknown) => void = () => undefined,
    lookEveryMs?: number,
  ) {
    this.#inspector = new Inspector(broker);
    this.#waiter = new Waiter(broker, {
      look: (ids, release) => this.#inspector.findSettled(ids, release),
      onError,
      lookEveryMs,
    });
  }

  start(): Promise<void> {
    return this.#waiter.start();
  }

  stop(): Promise<void> {
    return this.#waiter.stop();
  }

  /**
   * The job once it has ended: `succeeded` with its result, `failed` or `revoked` with the reason.
   * @param timeoutMs longest wait, in milliseconds.
   * @throws {QueueError} `RESULT_TIMEOUT` when it has not ended by then, `JOB_UNKNOWN` when Redis does not know it,
   * `JOB_ID_INVALID`, `REDIS_UNAVAILABLE`
   */
  async get(id: string, { timeoutMs }: { timeoutMs: number }): Promise<JobStatus> {
    // An invalid id would fail the look at all others.
    assertJobId(id);
    let status = await this.#inspector.status(id);
    if (!isSettled(status)) {
      await this.#waiter.wait(id, timeoutMs);
      status = await this.#inspector.status(id);
    }
    if (status.state === 'unknown') throw new QueueError('JOB_UNKNOWN');
    if (!isSettled(status)) throw new QueueError('RESULT_TIMEOUT');
    return status;
  }
}
