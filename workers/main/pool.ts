/**
 * Threads: batches go to the one with the fewest jobs, completions come back one by one, worn threads are replaced. When a
 * thread dies, the jobs it had not finished are named; who is to blame is decided elsewhere.
 */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import type { ResolvedConfig } from '../../base/config.ts';
import type { AbortReason, ThreadJob, ToThread } from '../protocol.ts';
import { Seat, type SeatOptions } from './seat.ts';
import type { ThreadEvents } from './pool-events.ts';

export interface PoolOptions {
  config: ResolvedConfig;
  threads: number;
  /** Whether threads are started before there is work: the first job would wait some 500 ms for them. */
  warm: boolean;
  /** What a thread runs, compiled. */
  module: URL;
}

export class ThreadPool {
  readonly #config: ResolvedConfig;
  readonly #orders: BroadcastChannel;
  readonly #events: ThreadEvents;
  readonly #seatOptions: SeatOptions;
  /** Those that take jobs. */
  readonly #seats: Seat[];
  /** Those that are to be replaced, until their last job has ended. */
  readonly #leaving = new Set<Seat>();
  /** Those that are about to take over. */
  readonly #coming = new Set<Seat>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;
  #concurrency: number;

  constructor({ config, threads, warm, module }: PoolOptions, events: ThreadEvents) {
    const channel = `daodao:${randomUUID()}`;
    this.#config = config;
    this.#events = events;
    this.#concurrency = config.workerConcurrency;
    this.#orders = new BroadcastChannel(channel);
    this.#orders.unref();
    this.#seatOptions = { data: { config, channel }, module, warm };
    this.#seats = Array.from({ length: threads }, () => this.#open());
  }

  /** Jobs each thread runs at a time, from now on; those that run go on. Default `workerConcurrency`. */
  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.#orders.postMessage({ type: 'concurrency', concurrency } satisfies ToThread);
  }

  /**
   * Sends jobs to one thread, which runs `concurrency` of all its jobs at a time.
   * @param onFresh whether it should be one that has had no job yet; default is one that has been started.
   */
  run(jobs: readonly ThreadJob[], onFresh = false): void {
    this.#choose(onFresh).run({ concurrency: this.#concurrency, jobs });
  }

  /** Resolves with whether the thread that `run` would take has been started. */
  async ready(): Promise<boolean> {
    return this.#choose(false).ready(this.#concurrency);
  }

  #choose(onFresh: boolean): Seat {
    const [first, ...others] = this.#seats;
    const rank = (seat: Seat) => seat.load * 2 + Number(seat.isFresh !== onFresh);
    return others.reduce((best, seat) => (rank(seat) < rank(best) ? seat : best), first!);
  }

  /** Whether an earlier run of this job has not ended yet, for instance one whose lease was lost. */
  runs(id: string): boolean {
    return this.#all().some((seat) => seat.runs(id));
  }

  abort(ids: readonly string[], reason: AbortReason): void {
    this.#orders.postMessage({ type: 'abort', ids: [...ids], reason } satisfies ToThread);
  }

  /**
   * Ends the thread a job runs on, with everything else on it.
   * @returns false when that thread is ending already, or has yet to begin with the job.
   */
  terminate(id: string): boolean {
    return this.#all().some((seat) => seat.terminate(id));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#orders.close();
    const open = [...this.#all(), ...this.#coming].map((seat) => seat.close());
    await Promise.all([...open, ...this.#closing]);
  }

  #all(): Seat[] {
    return [...this.#seats, ...this.#leaving];
  }

  #open(): Seat {
    return new Seat(this.#seatOptions, this.#events, (seat) => this.#look(seat));
  }

  /** After every end: a thread that is worn is replaced, and one that was closed when it has nothing left to finish. */
  #look(seat: Seat): void {
    if (this.#isClosed) return;
    if (this.#seats.includes(seat)) void this.#replaceIfWorn(seat);
    else if (seat.load === 0) this.#dismiss(seat);
  }

  /**
   * The successor is started first and takes over once it is ready, so that no job waits for a start. Never more than
   * as many threads again are on their way out: one long job can keep each of them.
   */
  async #replaceIfWorn(seat: Seat): Promise<void> {
    const reason = this.#wearOf(seat);
    if (reason === undefined || this.#leaving.has(seat)) return;
    if (this.#leaving.size >= this.#seats.length) return;
    this.#leaving.add(seat);
    const successor = this.#open();
    this.#coming.add(successor);
    if (this.#seatOptions.warm) await successor.ready(this.#concurrency);
    this.#coming.delete(successor);
    if (this.#isClosed) return;
    this.#seats[this.#seats.indexOf(seat)] = successor;
    this.#events.replaced(reason, seat.ended);
    if (seat.load === 0) this.#dismiss(seat);
  }

  #wearOf(seat: Seat): string | undefined {
    const { workerMaxJobsPerThread: most, workerMaxHeapMb } = this.#config;
    if (seat.isHeavy) return `its heap stayed above ${workerMaxHeapMb} MB`;
    return most > 0 && seat.ended >= most ? `it has run ${most} jobs` : undefined;
  }

  #dismiss(seat: Seat): void {
    if (!this.#leaving.delete(seat)) return;
    const closing = seat.close();
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}
