/**
 * Runs jobs that need a thread to themselves. Jobs of isolated tasks run several at a time. Suspects, whose thread or
 * process died, run one at a time, so that a second death has one possible cause. Waiting jobs stay leased to this
 * process.
 */
import type { Consumer, Counts, Delivery } from '../../jobs/queue/index.ts';
import { SUSPECT_DELAY_MS } from './settle.ts';

type Kind = 'isolated' | 'suspect';

interface Waiting {
  delivery: Delivery;
  kind: Kind;
  isLost: boolean;
}

export interface Stage {
  /** Resolves to whether a thread has been started for the next job. */
  ready(): Promise<boolean>;
  /** @param onFresh requires a thread that has run no other job. */
  run(delivery: Delivery, onFresh: boolean): void;
}

export class Alone {
  readonly #consumer: Pick<Consumer, 'mark' | 'settle'>;
  /** Concurrency by kind. */
  readonly #most: Record<Kind, number>;
  readonly #stage: Stage;
  readonly #running = new Map<string, Waiting>();
  #waiting: Waiting[] = [];
  #isClosed = false;

  /** @param isolated concurrency of isolated jobs, each on its own thread. */
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

  /** Reruns a job at once on a fresh thread, as another job may have ended its thread. */
  again(id: string): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (!this.#isClosed) return this.#stage.run(running.delivery, true);
    this.#running.delete(id);
    this.#back(running, 0);
  }

  ended(id: string): void {
    if (this.#running.delete(id)) this.#advance();
  }

  /** Drops jobs whose leases are lost. */
  drop(ids: readonly string[]): void {
    this.#waiting = this.#waiting.filter(({ delivery }) => !ids.includes(delivery.job.id));
    for (const id of ids) {
      const running = this.#running.get(id);
      if (running !== undefined) running.isLost = true;
    }
  }

  /** Returns waiting jobs to the queue and starts no more. */
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
    // Redis may or may not have stored the mark.
    if (!next.isLost) this.#back(next, SUSPECT_DELAY_MS);
    this.ended(delivery.job.id);
  }

  /**
   * Marks the job in Redis first: if this process dies with it, the process that recovers the job charges a death. The
   * mark waits for the thread, because a death before the job starts is not charged.
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
