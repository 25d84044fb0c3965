/**
 * Jobs that run with a thread to themselves: those of isolated tasks, several at a time, and suspects, which were on a thread or
 * process when it died, one at a time in a process, so that if it happens again it is clear who did it. The others wait
 * here, under the lease of the process.
 */
import type { Consumer, Counts, Delivery } from '../../jobs/queue/index.ts';
import { SUSPECT_DELAY_MS } from './settle.ts';

type Kind = 'isolated' | 'suspect';

interface Waiting {
  delivery: Delivery;
  kind: Kind;
  /** Its lease was lost. */
  isLost: boolean;
}

export interface Stage {
  /** Resolves with whether there is a thread for the next job. */
  ready(): Promise<boolean>;
  /** @param onFresh on a thread that has had no other job. */
  run(delivery: Delivery, onFresh: boolean): void;
}

export class Alone {
  readonly #consumer: Pick<Consumer, 'mark' | 'settle'>;
  /** How many of each kind run at a time. */
  readonly #most: Record<Kind, number>;
  readonly #stage: Stage;
  readonly #running = new Map<string, Waiting>();
  #waiting: Waiting[] = [];
  #isClosed = false;

  /** @param isolated jobs of isolated tasks that may run at a time, each on a thread of its own. */
  constructor(consumer: Pick<Consumer, 'mark' | 'settle'>, isolated: number, stage: Stage) {
    this.#consumer = consumer;
    this.#most = { isolated, suspect: 1 };
    this.#stage = stage;
  }

  add(delivery: Delivery): void {
    const kind = delivery.counts.mark === '' ? 'isolated' : 'suspect';
    this.#waiting.push({ delivery, kind, isLost: false });
    this.#advance();
  }

  /** Runs one again at once, on a fresh thread, as the one it had ended for a reason that may not be its own. */
  again(id: string): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (!this.#isClosed) return this.#stage.run(running.delivery, true);
    this.#running.delete(id);
    this.#back(running, 0);
  }

  /** One that ran has ended, or its thread has. */
  ended(id: string): void {
    if (this.#running.delete(id)) this.#advance();
  }

  /** Their leases are lost: they are not to be started. */
  drop(ids: readonly string[]): void {
    this.#waiting = this.#waiting.filter(({ delivery }) => !ids.includes(delivery.job.id));
    for (const id of ids) {
      const running = this.#running.get(id);
      if (running !== undefined) running.isLost = true;
    }
  }

  /** Those that have not been started go back to the queue, and none is started any more. */
  giveBack(): void {
    this.#isClosed = true;
    for (const waiting of this.#waiting.splice(0)) this.#back(waiting, 0);
  }

  #advance(): void {
    for (const kind of ['suspect', 'isolated'] as const) {
      while (this.#count(kind) < this.#most[kind]) {
        const at = this.#waiting.findIndex((waiting) => waiting.kind === kind);
        if (at === -1) break;
        void this.#start(this.#waiting.splice(at, 1)[0]!);
      }
    }
  }

  #count(kind: Kind): number {
    let count = 0;
    for (const running of this.#running.values()) if (running.kind === kind) count++;
    return count;
  }

  async #start(next: Waiting): Promise<void> {
    const { delivery, kind } = next;
    this.#running.set(delivery.job.id, next);
    const isMarked = kind === 'isolated' || (await this.#mark(delivery));
    if (isMarked && !next.isLost) return this.#stage.run(delivery, false);
    // Whether Redis heard it is unknown.
    if (!next.isLost) this.#back(next, SUSPECT_DELAY_MS);
    this.ended(delivery.job.id);
  }

  /**
   * Redis is told first: if this process dies with the job, whoever recovers it charges a death. What dies while its thread
   * is still being started is not charged.
   */
  async #mark({ job, counts }: Delivery): Promise<boolean> {
    if (!(await this.#stage.ready())) return false;
    const running: Counts = { ...counts, mark: 'r' };
    const isMarked = await this.#consumer.mark(job.id, running).catch(() => false);
    return isMarked && !this.#isClosed;
  }

  #back({ delivery: { job, counts }, kind }: Waiting, delayMs: number): void {
    const settlement = { kind: 'back', delayMs } as const;
    const suspect: Counts = { ...counts, mark: 's' };
    this.#consumer.settle(
      job.id,
      kind === 'suspect' ? { ...settlement, counts: suspect } : settlement,
    );
  }
}
