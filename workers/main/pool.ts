/**
 * Sends batches to the thread with the fewest jobs and replaces worn threads. Reports the unfinished jobs of a dead
 * thread; settle.ts decides which of them to charge.
 */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import type { ResolvedConfig } from '../../base/config.ts';
import type { AbortReason, ThreadJob, ToThread } from '../protocol.ts';
import type { Endings } from './endings.ts';
import { Seat, type SeatOptions } from './seat.ts';
import type { ThreadEvents } from './pool-events.ts';

export interface PoolOptions {
  config: ResolvedConfig;
  threads: number;
  /** Whether threads start before there is work: otherwise the first job waits some 500 ms. */
  warm: boolean;
  /** Compiled entry point of the threads. */
  module: URL;
  /** Shared by all threads of the process. */
  endings: Endings;
}

export class ThreadPool {
  readonly #config: ResolvedConfig;
  readonly #orders: BroadcastChannel;
  readonly #events: ThreadEvents;
  readonly #seatOptions: SeatOptions;
  readonly #seats: Seat[];
  /** Worn seats, until their last job ends. */
  readonly #leaving = new Set<Seat>();
  /** Successors that are still starting. */
  readonly #coming = new Set<Seat>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;
  #concurrency: number;

  constructor({ config, threads, warm, module, endings }: PoolOptions, events: ThreadEvents) {
    const channel = `daodao:${randomUUID()}`;
    this.#config = config;
    this.#events = events;
    this.#concurrency = config.workerConcurrency;
    this.#orders = new BroadcastChannel(channel);
    this.#orders.unref();
    this.#seatOptions = { data: { config, channel }, module, warm, endings };
    this.#seats = Array.from({ length: threads }, () => this.#open());
  }

  /** Per thread, default `workerConcurrency`. Running jobs continue. */
  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.#orders.postMessage({ type: 'concurrency', concurrency } satisfies ToThread);
  }

  /** @param onFresh prefers a thread that has run no job; default: one that has been started. */
  run(jobs: readonly ThreadJob[], onFresh = false): void {
    this.#choose(onFresh).run({ concurrency: this.#concurrency, jobs });
  }

  /** Resolves to whether the thread `run` would choose has been started. */
  async ready(): Promise<boolean> {
    return this.#choose(false).ready(this.#concurrency);
  }

  #choose(onFresh: boolean): Seat {
    const [first, ...others] = this.#seats;
    const rank = (seat: Seat) => seat.load * 2 + Number(seat.isFresh !== onFresh);
    return others.reduce((best, seat) => (rank(seat) < rank(best) ? seat : best), first!);
  }

  /** Whether a run of this job is unfinished here, for instance after a lost lease. */
  runs(id: string): boolean {
    return this.#all().some((seat) => seat.runs(id));
  }

  abort(ids: readonly string[], reason: AbortReason): void {
    this.#orders.postMessage({ type: 'abort', ids: [...ids], reason } satisfies ToThread);
  }

  /**
   * Ends the thread of a job, with all other jobs on it.
   * @returns false when the thread is ending already or has not started the job.
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

  /** Replaces a worn thread, and closes a replaced one after its last job. */
  #look(seat: Seat): void {
    if (this.#isClosed) return;
    if (this.#seats.includes(seat)) void this.#replaceIfWorn(seat);
    else if (seat.load === 0) this.#dismiss(seat);
  }

  /**
   * The successor starts first, so that no job waits for it. One long job can keep a worn thread, so at most as many
   * worn threads as seats remain.
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
    if (seat.isStuck) return 'its thread could not be ended';
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
