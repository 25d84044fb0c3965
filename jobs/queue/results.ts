/**
 * Waits for jobs to end without asking Redis again and again: one blocking read of the events for a whole process.
 */
import type { Service } from '../../service.ts';
import type { Broker } from './broker.ts';
import { QueueError } from './errors.ts';
import { EventTail } from './events.ts';
import { Inspector, type JobStatus } from './inspector.ts';

/** Longest time an end may go unnoticed when its event was missed, in milliseconds. */
const DOUBT_MS = 2000;

const ENDED = new Set(['succeeded', 'failed', 'revoked']);

export class Results implements Service {
  readonly name = 'results';
  readonly #inspector: Inspector;
  readonly #tail: EventTail;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(broker: Broker, failed: (error: unknown) => void = () => undefined) {
    this.#inspector = new Inspector(broker);
    this.#tail = new EventTail(broker, {
      ended: (ids) => {
        for (const id of ids) this.#waiting.get(id)?.forEach((look) => look());
      },
      failed,
    });
  }

  async start(): Promise<void> {
    await this.#tail.start();
  }

  async stop(): Promise<void> {
    await this.#tail.stop();
  }

  /**
   * The job once it has ended: `succeeded` with its result, `failed` or `revoked` with the reason.
   * @param timeoutMs longest wait, in milliseconds.
   * @throws {QueueError} `RESULT_TIMEOUT` when it has not ended by then, `JOB_UNKNOWN` when Redis does not know it.
   */
  async get(id: string, { timeoutMs }: { timeoutMs: number }): Promise<JobStatus> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const seen = this.#nextEvent(
        id,
        Math.min(DOUBT_MS, Math.max(0, deadline - performance.now())),
      );
      try {
        const status = await this.#inspector.status(id);
        if (ENDED.has(status.state)) return status;
        if (status.state === 'unknown') throw new QueueError('JOB_UNKNOWN');
        if (performance.now() >= deadline) throw new QueueError('RESULT_TIMEOUT');
        await seen.event;
      } finally {
        seen.cancel();
      }
    }
  }

  /** Listening begins before the look at the job, so that an end in between is not missed. */
  #nextEvent(id: string, timeoutMs: number): { event: Promise<void>; cancel: () => void } {
    const looks = this.#waiting.get(id) ?? new Set<() => void>();
    this.#waiting.set(id, looks);
    let cancel = (): void => undefined;
    const event = new Promise<void>((resolve) => {
      const timer = setTimeout(() => cancel(), timeoutMs);
      cancel = () => {
        clearTimeout(timer);
        looks.delete(cancel);
        if (looks.size === 0 && this.#waiting.get(id) === looks) this.#waiting.delete(id);
        resolve();
      };
      looks.add(cancel);
    });
    return { event, cancel };
  }
}
