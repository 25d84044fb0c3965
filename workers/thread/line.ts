/**
 * The jobs of one thread: at most `concurrency` run, the rest wait. When running jobs turn out long, the waiting ones
 * are handed back, as another thread or process may be free.
 */
import { Stall } from '../../jobs/queue/index.ts';
import {
  STALLED,
  type AbortReason,
  type AttemptEnd,
  type Ended,
  type ThreadJob,
} from '../protocol.ts';
import { Stop } from './stop.ts';

export interface LineOptions {
  /** Jobs that run at a time. */
  concurrency: number;
  /** Must not throw. */
  run(job: ThreadJob, stop: Stop): Promise<AttemptEnd>;
  /** Called before jobs start, as a handler may block the thread, with all outcomes since the last call. */
  tell(started: string[], ended: Ended[]): void;
}

interface WaitingJob {
  job: ThreadJob;
  batch: { left: number; resolve(): void };
}

export class Line {
  readonly #options: LineOptions;
  readonly #running = new Map<string, Stop>();
  #concurrency: number;
  readonly #stall = new Stall(() => this.#handBack(() => true, STALLED));
  #waiting: WaitingJob[] = [];
  #ended: Ended[] = [];
  #isDue = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
  }

  /** Running jobs continue. */
  set concurrency(concurrency: number) {
    if (concurrency === this.#concurrency) return;
    this.#concurrency = concurrency;
    this.#advance();
  }

  /** Resolves when all these jobs have ended or been handed back. */
  async add(jobs: readonly ThreadJob[]): Promise<void> {
    if (jobs.length === 0) return;
    await new Promise<void>((resolve) => {
      const batch = { left: jobs.length, resolve };
      for (const job of jobs) this.#waiting.push({ job, batch });
      this.#advance();
    });
  }

  /** Aborts running jobs and hands back waiting ones. */
  abort(ids: readonly string[], reason: AbortReason): void {
    for (const id of ids) this.#running.get(id)?.abort(reason);
    this.#handBack(({ job }) => ids.includes(job.id), reason);
  }

  /** Reports the outcomes of one event loop turn together: a message costs more than a job. */
  #end({ job, batch }: WaitingJob, end: AttemptEnd): void {
    this.#ended.push({ id: job.id, end });
    if (--batch.left === 0) batch.resolve();
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(() => {
      this.#isDue = false;
      this.#advance();
    });
  }

  #advance(): void {
    const starting = this.#waiting.splice(0, Math.max(0, this.#concurrency - this.#running.size));
    const ended = this.#ended;
    this.#ended = [];
    if (starting.length + ended.length > 0) {
      const started = starting.map(({ job }) => job.id);
      this.#options.tell(started, ended);
    }
    for (const waiting of starting) void this.#run(waiting);
    this.#stall.watch(this.#waiting.length > 0, ended.length > 0);
  }

  async #run(waiting: WaitingJob): Promise<void> {
    const { job } = waiting;
    const stop = new Stop();
    this.#running.set(job.id, stop);
    const end = await this.#options.run(job, stop);
    this.#running.delete(job.id);
    this.#end(waiting, end);
  }

  #handBack(which: (waiting: WaitingJob) => boolean, reason: string): void {
    const back = this.#waiting.filter(which);
    if (back.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => !back.includes(waiting));
    for (const waiting of back) this.#end(waiting, { kind: 'released', delayMs: 0, reason });
  }
}
