/**
 * Waits for jobs to end without asking Redis again and again: one blocking read of the events for a whole process, and
 * one look for all who wait when an event may have been missed.
 */
import { Loop, type Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { QueueError } from '../broker/errors.ts';
import { EventTail } from './events.ts';
import { Inspector, type JobStatus } from './inspector.ts';
import { assertJobId } from '../broker/keys.ts';

const DOUBT_MS = 2000;

const ENDED = new Set(['succeeded', 'failed', 'revoked']);

/** Why a wait went on: it may have ended, or is over. */
type Reason = 'look' | 'time is up';

/** Ids that are about to be looked at together. */
interface Gathering {
  ids: Set<string>;
  found: Promise<Map<string, JobStatus>>;
}

export class Results implements Service {
  readonly name = 'results';
  readonly #inspector: Inspector;
  readonly #tail: EventTail;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #doubt: Loop;
  readonly #doubtMs: number;
  #looking: Gathering | undefined;

  /** @param doubtMs longest time an end may go unnoticed when its event was missed, in milliseconds. */
  constructor(
    broker: Broker,
    failed: (error: unknown) => void = () => undefined,
    doubtMs = DOUBT_MS,
  ) {
    this.#doubtMs = doubtMs;
    this.#inspector = new Inspector(broker);
    this.#tail = new EventTail(broker, {
      ended: (ids) => this.#wake(ids),
      failed,
    });
    this.#doubt = new Loop({ name: 'results', tick: () => this.#wakeAll(), onError: failed });
  }

  async start(): Promise<void> {
    await this.#tail.start();
    await this.#doubt.start();
  }

  async stop(): Promise<void> {
    await this.#tail.stop();
    await this.#doubt.stop();
  }

  /**
   * The job once it has ended: `succeeded` with its result, `failed` or `revoked` with the reason.
   * @param timeoutMs longest wait, in milliseconds.
   * @throws {QueueError} `RESULT_TIMEOUT` when it has not ended by then, `JOB_UNKNOWN` when Redis does not know it,
   * `JOB_ID_INVALID`
   */
  async get(id: string, { timeoutMs }: { timeoutMs: number }): Promise<JobStatus> {
    // One that cannot be looked at must not fail the look of all.
    assertJobId(id);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const seen = this.#nextEvent(id, Math.max(0, deadline - performance.now()));
      try {
        const status = await this.#look(id);
        if (ENDED.has(status.state)) return status;
        if (status.state === 'unknown') throw new QueueError('JOB_UNKNOWN');
        if ((await seen.event) === 'time is up') throw new QueueError('RESULT_TIMEOUT');
      } finally {
        seen.cancel();
      }
    }
  }

  /** Looks asked for in one turn of the event loop are one look. */
  async #look(id: string): Promise<JobStatus> {
    this.#looking ??= this.#gather();
    const { ids, found } = this.#looking;
    ids.add(id);
    return (await found).get(id)!;
  }

  #gather(): Gathering {
    const ids = new Set<string>();
    const found = Promise.resolve().then(async () => {
      this.#looking = undefined;
      const statuses = await this.#inspector.statuses([...ids]);
      return new Map(statuses.map((status) => [status.id, status]));
    });
    return { ids, found };
  }

  #wake(ids: Iterable<string>): void {
    for (const id of ids) this.#waiting.get(id)?.forEach((look) => look());
  }

  async #wakeAll(): Promise<number> {
    this.#wake([...this.#waiting.keys()]);
    return this.#doubtMs;
  }

  /** Listening begins before the look at the job, so that an end in between is not missed. */
  #nextEvent(id: string, timeoutMs: number): { event: Promise<Reason>; cancel: () => void } {
    const looks = this.#waiting.get(id) ?? new Set<() => void>();
    this.#waiting.set(id, looks);
    let cancel = (): void => undefined;
    const event = new Promise<Reason>((resolve) => {
      const end = (reason: Reason): void => {
        clearTimeout(timer);
        looks.delete(cancel);
        if (looks.size === 0 && this.#waiting.get(id) === looks) this.#waiting.delete(id);
        resolve(reason);
      };
      const timer = setTimeout(() => end('time is up'), timeoutMs);
      cancel = () => end('look');
      looks.add(cancel);
    });
    return { event, cancel };
  }
}
