/**
 * The jobs of one thread. At most `concurrency` handlers run at a time; while they do, further attempts are opened, and ended ones are
 * settled, together. When running jobs turn out long, those that wait are handed back, as another thread or process may be free.
 */
import { Stall } from '../../jobs/queue/index.ts';
import {
  STALLED,
  type AbortReason,
  type AttemptEnd,
  type Ended,
  type Moves,
  type ThreadJob,
} from '../protocol.ts';
import { MOST_TOGETHER } from './grouped-attempts.ts';
import { Stop } from './stop.ts';

/** Longest payload of an attempt that is opened ahead, in characters. */
export const MAX_AHEAD_LENGTH = 65_536;

/** One attempt, as the line leads it. No method throws. */
export interface LineAttempt {
  /** Asks the store for what is to run. @returns an outcome when there is nothing to run. */
  open(): Promise<AttemptEnd | undefined>;
  /** Runs the handler: the only part that occupies a slot. */
  handle(): Promise<void>;
  settle(): Promise<AttemptEnd>;
  /** Undoes `open`, so that another thread may run the job. */
  giveBack(reason: string): Promise<AttemptEnd>;
  /** In milliseconds, once the handler has ended. */
  readonly ranMs: number | undefined;
}

export interface LineOptions {
  /** Handlers that run at a time. */
  concurrency: number;
  begin(job: ThreadJob, stop: Stop): LineAttempt;
  /** Called before handlers start, as one may block the thread, with all that happened since the last call. */
  tell(moves: Moves): void;
}

interface WaitingJob {
  job: ThreadJob;
  batch: { left: number; resolve(): void };
}

interface OpenJob extends WaitingJob {
  attempt: LineAttempt;
}

export class Line {
  readonly #options: LineOptions;
  /** Of the jobs that are opened, run or are settled. */
  readonly #stops = new Map<string, Stop>();
  #concurrency: number;
  readonly #stall = new Stall(() => this.#handBack(() => true, STALLED));
  #waiting: WaitingJob[] = [];
  #opening = 0;
  /** Opened, and waiting for a slot. */
  #ready: OpenJob[] = [];
  #running = 0;
  /** Whether a handler has ended since the last advance. */
  #hasMoved = false;
  readonly #handled = new Set<string>();
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

  /** Aborts jobs under way and hands back those that wait. */
  abort(ids: readonly string[], reason: AbortReason): void {
    for (const id of ids) this.#stops.get(id)?.abort(reason);
    this.#handBack(({ job }) => ids.includes(job.id), reason);
  }

  /** Once a turn of the event loop, as a message costs more than a job. */
  #due(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(() => {
      this.#isDue = false;
      this.#advance();
    });
  }

  #advance(): void {
    const starting = this.#ready.splice(0, Math.max(0, this.#concurrency - this.#running));
    this.#running += starting.length;
    const opening = this.#waiting.splice(0, this.#countToOpen());
    this.#opening += opening.length;
    const started = starting.map(({ job }) => job.id);
    const [handled, ended] = [[...this.#handled], this.#ended];
    this.#handled.clear();
    this.#ended = [];
    if (started.length + handled.length + ended.length > 0) {
      this.#options.tell({ started, handled, ended });
    }
    for (const waiting of opening) void this.#open(waiting);
    for (const open of starting) void this.#run(open);
    this.#stall.watch(this.#waiting.length + this.#ready.length > 0, this.#hasMoved);
    this.#hasMoved = false;
  }

  /** How many of those that wait, in order, may be opened now. */
  #countToOpen(): number {
    const free = this.#concurrency - this.#opening - this.#ready.length - this.#running;
    const most = free + MOST_TOGETHER;
    let count = 0;
    while (count < most && count < this.#waiting.length) {
      if (count >= free && this.#waiting[count]!.job.payload.length > MAX_AHEAD_LENGTH) break;
      count++;
    }
    return count;
  }

  async #open({ job, batch }: WaitingJob): Promise<void> {
    const stop = new Stop();
    this.#stops.set(job.id, stop);
    const attempt = this.#options.begin(job, stop);
    const end = await attempt.open();
    this.#opening--;
    if (end !== undefined) return this.#end({ job, batch }, end);
    this.#ready.push({ job, batch, attempt });
    this.#due();
  }

  async #run(open: OpenJob): Promise<void> {
    const { job, attempt } = open;
    await attempt.handle();
    this.#running--;
    this.#hasMoved = true;
    this.#handled.add(job.id);
    this.#due();
    const end = await attempt.settle();
    this.#handled.delete(job.id);
    this.#end(open, end, attempt.ranMs);
  }

  #end({ job: { id }, batch }: WaitingJob, end: AttemptEnd, ranMs?: number): void {
    this.#stops.delete(id);
    this.#ended.push({ id, end, ranMs });
    if (--batch.left === 0) batch.resolve();
    this.#due();
  }

  #handBack(which: (waiting: WaitingJob) => boolean, reason: string): void {
    const [ready, waiting] = [this.#ready.filter(which), this.#waiting.filter(which)];
    this.#ready = this.#ready.filter((open) => !which(open));
    this.#waiting = this.#waiting.filter((job) => !which(job));
    for (const open of ready)
      void open.attempt.giveBack(reason).then((end) => this.#end(open, end));
    for (const job of waiting) this.#end(job, { kind: 'released', delayMs: 0, reason });
  }
}
