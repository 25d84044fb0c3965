/**
 * Threads: batches go to piscina, completions come back one by one. When a thread dies, the jobs it had not finished are
 * named; who is to blame is decided elsewhere.
 */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ResolvedConfig } from '../config.ts';
import {
  packBatch,
  unpackMoves,
  type AbortReason,
  type AttemptOutcome,
  type FromThread,
  type Moves,
  type ThreadData,
  type ThreadJob,
  type ToThread,
} from './protocol.ts';

export interface PoolEvents {
  /** A thread has begun with these jobs: their time counts from now. */
  started(ids: readonly string[]): void;
  ended(id: string, outcome: AttemptOutcome): void;
  /** The thread that ran these jobs ended before they did. */
  died(ids: string[], reason: string): void;
  progress(id: string, value: number, note: string | null): void;
  log(id: string, task: string, message: string, fields: Record<string, unknown>): void;
}

export interface PoolOptions {
  config: ResolvedConfig;
  threads: number;
  /** Batches one thread takes: enough that none waits where nobody would hand it back. */
  batches: number;
  /** Whether threads are started before there is work: the first job would wait some 500 ms for them. */
  warm: boolean;
  /** What a thread runs, compiled. Default `thread.js`; tests run it with tasks of their own beside the real ones. */
  module?: URL | undefined;
}

/**
 * Most memory of a thread's heap, in MB. What needs more ends its thread, not the process. The young generation is kept
 * small, as jobs mostly wait: an idle thread is 17 MB smaller for it.
 */
const HEAP_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

/**
 * Piscina tries `require` before `import`, and Node.js (20 at least) aborts the whole process when a thread is ended while it
 * requires an ES module. Without that ability `require` refuses at once, and `import` ends with its thread.
 */
const IMPORT_ONLY = '--no-experimental-require-module';

const THREAD_MODULE = new URL('thread.js', import.meta.url);

export class ThreadPool {
  readonly #piscina: Piscina<string, void>;
  readonly #orders: BroadcastChannel;
  readonly #events: PoolEvents;
  #concurrency: number;
  /** Jobs that have not ended, and the thread each runs on once it said so. */
  readonly #running = new Map<string, Worker | undefined>();
  readonly #ending = new WeakSet<Worker>();
  /** Threads that have not exited, and their exit. Piscina forgets a thread as soon as it fails. */
  readonly #threads = new Map<Worker, Promise<void>>();

  constructor(
    { config, threads, batches, warm, module = THREAD_MODULE }: PoolOptions,
    events: PoolEvents,
  ) {
    const channel = `daodao:${randomUUID()}`;
    this.#events = events;
    this.#concurrency = config.workerConcurrency;
    this.#orders = new BroadcastChannel(channel);
    this.#orders.unref();
    this.#piscina = new Piscina({
      filename: module.href,
      workerData: { config, channel } satisfies ThreadData,
      minThreads: warm ? threads : 0,
      maxThreads: threads,
      concurrentTasksPerWorker: batches,
      // Threads own sockets, which a thread blocked in Atomics.wait would not serve.
      atomics: 'disabled',
      // A thread is kept: its connections are warm.
      idleTimeout: Infinity,
      execArgv: [IMPORT_ONLY],
      recordTiming: false,
      resourceLimits: HEAP_LIMITS,
    });
    this.#piscina.on('workerCreate', () => this.#meetThreads());
    this.#piscina.on('message', (message: FromThread) => this.#hear(message));
    this.#piscina.on('error', (error: Error) => events.died([], error.message));
  }

  /** Jobs each thread runs at a time, from now on; those that run go on. Default `workerConcurrency`. */
  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.#orders.postMessage({ type: 'concurrency', concurrency } satisfies ToThread);
  }

  /** Sends jobs to one thread, which runs `concurrency` of all its jobs at a time. */
  run(jobs: ThreadJob[]): void {
    for (const { id } of jobs) this.#running.set(id, undefined);
    const batch = packBatch({ concurrency: this.#concurrency, jobs });
    this.#piscina.run(batch).catch((error: unknown) => void this.#bury(jobs, error));
  }

  /** Whether an earlier run of this job has not ended yet, for instance one whose lease was lost. */
  runs(id: string): boolean {
    return this.#running.has(id);
  }

  abort(ids: readonly string[], reason: AbortReason): void {
    this.#orders.postMessage({ type: 'abort', ids: [...ids], reason } satisfies ToThread);
  }

  /**
   * Ends the thread a job runs on, with everything else on it.
   * @returns false when that thread is ending already, or has yet to begin with the job.
   */
  terminate(id: string): boolean {
    const thread = this.#running.get(id);
    if (thread === undefined || this.#ending.has(thread)) return false;
    this.#ending.add(thread);
    void thread.terminate();
    return true;
  }

  async close(): Promise<void> {
    this.#orders.close();
    await this.#piscina.destroy();
  }

  #meetThreads(): void {
    for (const thread of this.#piscina.threads) {
      if (this.#threads.has(thread)) continue;
      const exit = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
      this.#threads.set(thread, exit);
      void exit.then(() => this.#threads.delete(thread));
    }
  }

  #hear(message: FromThread): void {
    switch (message.type) {
      case 'moved':
        return this.#move(message.threadId, unpackMoves(message.text));
      case 'progress':
        return this.#events.progress(message.id, message.value, message.note);
      case 'log':
        return this.#events.log(message.id, message.task, message.message, message.fields);
    }
  }

  #move(threadId: number, { started, ended }: Moves): void {
    for (const { id, outcome } of ended) {
      if (this.#running.delete(id)) this.#events.ended(id, outcome);
    }
    if (started.length === 0) return;
    const thread = [...this.#threads.keys()].find((candidate) => candidate.threadId === threadId);
    for (const id of started) this.#running.set(id, thread);
    this.#events.started(started);
  }

  /**
   * Piscina rejects every batch of a dead thread; the first one speaks for all that ran there. What the thread said
   * before it died may still be on its way: only after its exit is everything heard.
   */
  async #bury(batch: readonly ThreadJob[], error: unknown): Promise<void> {
    const alive = this.#piscina.threads;
    const exits = [...this.#threads].flatMap(([thread, exit]) =>
      alive.includes(thread) ? [] : [exit],
    );
    await Promise.all(exits);
    const thread = batch
      .map(({ id }) => this.#running.get(id))
      .find((found) => found !== undefined);
    const shared = thread === undefined ? [] : this.#jobsOn(thread);
    const lost = [...shared, ...batch.map(({ id }) => id)];
    const ids = lost.filter((id) => this.#running.delete(id));
    const reason = error instanceof Error ? error.message : String(error);
    if (ids.length > 0) this.#events.died(ids, reason);
  }

  #jobsOn(thread: Worker): string[] {
    return [...this.#running].flatMap(([id, runsOn]) => (runsOn === thread ? [id] : []));
  }
}
