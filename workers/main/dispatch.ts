/** Sends deliveries to threads, and outcomes of jobs and threads to the queue. */
import type { ResolvedConfig } from '../../base/config.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import { AHEAD, Pace, type Consumer, type Delivery, type Loss } from '../../jobs/queue/index.ts';
import { STALLED, type AttemptEnd, type ThreadJob } from '../protocol.ts';
import { Alone } from './alone.ts';
import { END_GRACE_MS, Endings } from './endings.ts';
import { ThreadPool } from './pool.ts';
import { Runs, type Run } from './runs.ts';
import type { ThreadDeath, ThreadEvents } from './pool-events.ts';
import {
  judgeArrival,
  judgeDeath,
  judgeEnd,
  release,
  runsAlone,
  timeLimitMs,
  type Resolution,
} from './settle.ts';

/** Retry delay of a job whose run under a lost lease continues here, in milliseconds. */
const STILL_RUNNING_DELAY_MS = 1000;
/** Retry delay of a job whose thread failed to start, in milliseconds. */
const UNSTARTED_DELAY_MS = 1000;

export type LeasedJobs = Pick<Consumer, 'settle' | 'mark' | 'progress'>;

export interface DispatchOptions {
  config: ResolvedConfig;
  telemetry: Telemetry;
  tasks: Tasks;
  /** Compiled entry point of the threads. */
  thread: URL;
  queue: LeasedJobs;
  /** Called when `limit` changes. */
  limitChanged(): void;
  /** A thread could not be ended. */
  stuck(): void;
}

export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #pool: ThreadPool;
  /** Runs one job per thread. */
  readonly #solo: ThreadPool;
  readonly #alone: Alone;
  readonly #pace = new Pace();
  readonly #endings = new Endings();
  #concurrency: number;
  #isOpen = false;
  #closing: Promise<unknown> | undefined;
  readonly runs = new Runs();

  constructor(options: DispatchOptions) {
    this.#options = options;
    const { config, telemetry, thread: module, queue } = options;
    const { workerThreads: threads } = config;
    this.#concurrency = config.workerConcurrency;
    const events: ThreadEvents = {
      started: (ids) => this.runs.begin(ids),
      handled: (ids) => this.runs.handled(ids),
      ended: (id, end, ranMs) => this.#ended(id, end, ranMs),
      died: (ids, death) => this.#died(ids, death),
      stuck: () => {
        telemetry.emit('thread.stuck', { graceMs: END_GRACE_MS });
        options.stuck();
      },
      unstarted: (ids, { reason, isLoaded }) => {
        const delayMs = isLoaded ? 0 : UNSTARTED_DELAY_MS;
        for (const id of ids)
          this.#release(id, delayMs, `its thread ended while it did not run: ${reason}`);
      },
      extended: (id, ms) => this.runs.extend(id, ms),
      progress: (id, value, note) => queue.progress(id, JSON.stringify({ value, note })),
      deferred: (taskId, error) => telemetry.emit('task.dispatch_deferred', { taskId, error }),
      log: (jobId, task, message, fields) =>
        telemetry.emit('job.log', { jobId, task, message, fields }),
      replaced: (reason, jobs) => telemetry.emit('thread.replaced', { reason, jobs }),
    };
    const endings = this.#endings;
    this.#pool = new ThreadPool({ config, threads, warm: true, module, endings }, events);
    // One thread more than isolated jobs use, so that a suspect never waits for them.
    const solo = { config, threads: threads + 1, warm: false, module, endings };
    this.#solo = new ThreadPool(solo, events);
    this.#alone = new Alone(queue, threads, {
      ready: () => this.#solo.ready(),
      run: (delivery, onFresh) => this.#run([delivery], this.#solo, onFresh),
    });
  }

  open(): void {
    this.#isOpen = true;
  }

  /** From now on, later deliveries and jobs waiting to run alone go back to the queue. */
  drain(): void {
    this.#isOpen = false;
    this.#alone.giveBack();
  }

  /** Takes `END_GRACE_MS` at most. */
  async close(): Promise<void> {
    await (this.#closing ??= Promise.all([this.#pool.close(), this.#solo.close()]));
  }

  /** Whether a thread that was told to end still runs. */
  get isEnding(): boolean {
    return this.#endings.isWaiting;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  /** Per thread. Running jobs above a lowered limit continue. */
  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.#pool.concurrency = concurrency;
    this.#options.limitChanged();
  }

  /** Jobs to hold at a time: more than can run while jobs are short, so that no thread idles. */
  get limit(): number {
    const ahead = this.#pace.isShort ? AHEAD : 0;
    return this.#options.config.workerThreads * this.#concurrency + ahead;
  }

  /** Short jobs travel in one batch per thread. Long jobs travel alone, so that none waits behind another. */
  deliver(deliveries: readonly Delivery[]): void {
    const { workerThreads: threads } = this.#options.config;
    const ready = deliveries.filter((delivery) => this.#isReady(delivery));
    const size = this.#pace.isShort ? Math.ceil(ready.length / threads) : 1;
    for (let i = 0; i < ready.length; i += size) this.#run(ready.slice(i, i + size), this.#pool);
  }

  #isReady(delivery: Delivery): boolean {
    const { queue, tasks } = this.#options;
    const { id, task } = delivery.job;
    // The queue delivered it before it learned that the worker is draining.
    if (!this.#isOpen) {
      queue.settle(id, { kind: 'back', delayMs: 0 });
      return false;
    }
    if (this.#pool.runs(id) || this.#solo.runs(id)) {
      queue.settle(id, { kind: 'back', delayMs: STILL_RUNNING_DELAY_MS });
      return false;
    }
    const resolution = judgeArrival(delivery);
    if (resolution !== undefined) this.#settle(delivery, resolution);
    else if (runsAlone(delivery, tasks.find(task))) this.#alone.add(delivery);
    else return true;
    return false;
  }

  #run(deliveries: readonly Delivery[], pool: ThreadPool, onFresh = false): void {
    const jobs: ThreadJob[] = deliveries.map((delivery) => {
      const { id, task, queue, payload, headers, createdAtMs } = delivery.job;
      this.runs.add(delivery, pool, timeLimitMs(this.#options.tasks.find(task)));
      const { attempts, snoozes } = delivery.counts;
      return { id, task, queue, payload, headers, attempts, snoozes, createdAtMs };
    });
    pool.run(jobs, onFresh);
  }

  /** The hard limit still applies after a lost lease: a job that ignores its signal must not keep its thread forever. */
  lost(ids: readonly string[], why: Loss): void {
    this.#alone.drop(ids);
    for (const id of ids) {
      const running = this.runs.get(id);
      if (running === undefined || running.lost) continue;
      running.lost = true;
      this.runs.abort(id, why);
      const event = why === 'revoked' ? 'job.revoked' : 'job.lease_lost';
      this.#options.telemetry.emit(event, { jobId: id, task: running.delivery.job.task });
    }
  }

  abortAll(): void {
    for (const id of this.runs.keys()) this.runs.abort(id, 'shutdown');
  }

  /** Gives back jobs that ignore their signal, before their threads are ended. */
  giveBackAll(): void {
    for (const id of this.runs.keys()) this.#release(id, 0, 'shutdown');
  }

  #release(id: string, delayMs: number, reason: string): void {
    const running = this.#forget(id);
    if (running === undefined || running.lost) return;
    this.#settle(running.delivery, release(running.delivery, delayMs, reason));
  }

  #forget(id: string): Run | undefined {
    const running = this.runs.get(id);
    if (running === undefined) return undefined;
    this.runs.delete(id);
    if (running.pool === this.#solo) this.#alone.ended(id);
    return running;
  }

  #ended(id: string, end: AttemptEnd, ranMs: number | undefined): void {
    const running = this.#forget(id);
    if (running === undefined) return;
    this.#notePace(end, ranMs);
    if (!running.lost) this.#settle(running.delivery, judgeEnd(running.delivery, end, ranMs));
  }

  #died(ids: readonly string[], { reason, isFirst, isDeliberate: collateral }: ThreadDeath): void {
    // At a shutdown, all jobs have been given back before their threads are ended.
    if (ids.length > 0 && !ids.some((id) => this.runs.has(id))) return;
    this.#options.telemetry.emit('thread.died', { jobIds: [...ids], reason });
    for (const id of ids) {
      const ended = this.#forgetDead(id, isFirst);
      if (ended === undefined || ended.lost) continue;
      const { delivery, pool, overran, limitMs } = ended;
      const task = this.#options.tasks.find(delivery.job.task);
      const death = { overran, collateral, alone: pool === this.#solo, limitMs, reason };
      this.#settle(delivery, judgeDeath(delivery, task, death));
    }
  }

  /**
   * A late error of the previous job may have ended the thread of a solo job: the job is not charged and reruns on a
   * fresh thread.
   */
  #forgetDead(id: string, isFirst: boolean): Run | undefined {
    const running = this.runs.get(id);
    if (running === undefined) return undefined;
    const { pool, overran, terminated, lost } = running;
    if (pool !== this.#solo || isFirst || overran || terminated || lost) return this.#forget(id);
    this.runs.delete(id);
    this.#alone.again(id);
    return undefined;
  }

  #settle({ job }: Delivery, { settlement, emit }: Resolution): void {
    this.#options.queue.settle(job.id, settlement);
    emit(this.#options.telemetry);
  }

  /** Only what occupies a slot counts, and only if it came to an end: a task fails fast while a store is unavailable. */
  #notePace(end: AttemptEnd, ranMs: number | undefined): void {
    const changed =
      end.kind === 'released'
        ? end.reason === STALLED && this.#pace.reset()
        : ranMs !== undefined && this.#pace.note(ranMs);
    if (changed) this.#options.limitChanged();
  }
}
