/**
 * Jobs that were on a thread or process when it died. Each runs alone, one at a time in a process, so that if it happens
 * again it is clear who did it.
 */
import type { Consumer, Counts, Delivery } from '../jobs/queue/index.ts';
import { SUSPECT_DELAY_MS } from './verdict.ts';

export class Suspects {
  readonly #consumer: Consumer;
  readonly #runAlone: (delivery: Delivery) => void;
  readonly #waiting: Delivery[] = [];
  #isRunning = false;

  constructor(consumer: Consumer, runAlone: (delivery: Delivery) => void) {
    this.#consumer = consumer;
    this.#runAlone = runAlone;
  }

  add(delivery: Delivery): void {
    this.#waiting.push(delivery);
    void this.#runNext();
  }

  /** The one that ran has ended. */
  next(): void {
    this.#isRunning = false;
    void this.#runNext();
  }

  /** Those that have not been started go back to the queue. */
  giveBack(): void {
    for (const { job } of this.#waiting.splice(0)) {
      this.#consumer.settle(job.id, { kind: 'back', delayMs: 0 });
    }
  }

  /** Redis is told first: if this process dies with the job, whoever recovers it charges a death. */
  async #runNext(): Promise<void> {
    const delivery = this.#isRunning ? undefined : this.#waiting.shift();
    if (delivery === undefined) return;
    this.#isRunning = true;
    const { job, counts } = delivery;
    const marked = await this.#consumer.mark(job.id, { ...counts, mark: 'r' }).catch(() => false);
    if (marked) return this.#runAlone(delivery);
    // Whether Redis heard it is unknown.
    const suspect: Counts = { ...counts, mark: 's' };
    this.#consumer.settle(job.id, { kind: 'back', delayMs: SUSPECT_DELAY_MS, counts: suspect });
    this.next();
  }
}
