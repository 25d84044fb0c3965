/**
 * A place for one thread: sends it batches, hears what it says, and seats a fresh one when it dies. One piscina for each
 * thread, as only then it is known which thread has which jobs, and one can be replaced while it finishes them.
 */
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import {
  packBatch,
  unpackMoves,
  type Batch,
  type FromThread,
  type Moves,
  type ThreadData,
} from '../protocol.ts';
import type { ThreadEvents } from './pool-events.ts';

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

/** How long a thread that is not kept warm waits for its next job, in milliseconds: it costs 25 MB, and a start half a second. */
const IDLE_MS = 60_000;

/** Batches piscina passes on at a time: all, as the thread itself decides how many jobs run. */
const ALL_BATCHES = 1_000_000;

export interface SeatOptions {
  data: ThreadData;
  module: URL;
  /** Whether its thread is started before there is work. */
  warm: boolean;
}

/** One thread from its start to its exit. */
interface Thread {
  worker: Worker;
  /** Why it ended, as far as piscina has said. */
  reason: string;
  /** Jobs it was given, and how many of them have ended. */
  given: number;
  ended: number;
  /** Batches it has not finished. */
  batches: Set<AbortController>;
  isHeavy: boolean;
  isEnding: boolean;
}

interface RunningJob {
  thread: Thread;
  /** Whether the thread has begun with it. */
  isBegun: boolean;
}

export class Seat {
  readonly #piscina: Piscina<string, void>;
  readonly #events: ThreadEvents;
  readonly #changed: (seat: Seat) => void;
  /** Jobs that have not ended. */
  readonly #running = new Map<string, RunningJob>();
  #thread: Thread | undefined;

  /** @param changed called when a job has ended or the thread says that its heap is too large. */
  constructor(
    { data, module, warm }: SeatOptions,
    events: ThreadEvents,
    changed: (seat: Seat) => void,
  ) {
    this.#events = events;
    this.#changed = changed;
    this.#piscina = new Piscina({
      filename: module.href,
      workerData: data,
      minThreads: warm ? 1 : 0,
      maxThreads: 1,
      concurrentTasksPerWorker: ALL_BATCHES,
      // Otherwise a batch that can be aborted would have the thread to itself.
      loadBalancer: (_batch, [thread]) => thread ?? null,
      // Threads own sockets, which a thread blocked in Atomics.wait would not serve.
      atomics: 'disabled',
      // A warm thread is kept: so are its connections.
      idleTimeout: warm ? Infinity : IDLE_MS,
      execArgv: [IMPORT_ONLY],
      recordTiming: false,
      resourceLimits: HEAP_LIMITS,
    });
    this.#piscina.on('message', (message: FromThread) => this.#hear(message));
    this.#piscina.on('error', (error: unknown) => {
      const reason = reasonOf(error);
      if (this.#thread !== undefined) this.#thread.reason = reason;
      events.died([], { reason, isFirst: false, isDeliberate: false });
    });
  }

  /** Jobs that have not ended. */
  get load(): number {
    return this.#running.size;
  }

  /** Whether its thread has had no job yet, or has yet to be started. */
  get isFresh(): boolean {
    return (this.#thread?.given ?? 0) === 0;
  }

  /** Jobs its thread has ended. */
  get ended(): number {
    return this.#thread?.ended ?? 0;
  }

  /** Whether its thread has said that its heap is too large. */
  get isHeavy(): boolean {
    return this.#thread?.isHeavy ?? false;
  }

  runs(id: string): boolean {
    return this.#running.has(id);
  }

  /** Resolves with whether its thread has loaded all that jobs need. */
  async ready(concurrency: number): Promise<boolean> {
    return this.#send({ concurrency, jobs: [] }).isDone;
  }

  run(batch: Batch): void {
    const { jobs } = batch;
    const { thread } = this.#send(batch);
    thread.given += jobs.length;
    for (const { id } of jobs) this.#running.set(id, { thread, isBegun: false });
  }

  /** Piscina would keep a batch whose thread fails to load, for whichever comes next: it ends with its thread. */
  #send(batch: Batch): { thread: Thread; isDone: Promise<boolean> } {
    const abort = new AbortController();
    const sent = this.#piscina.run(packBatch(batch), { signal: abort.signal });
    const thread = this.#seated();
    thread.batches.add(abort);
    const isDone = sent.then(
      () => thread.batches.delete(abort),
      (error: unknown) => {
        if (thread.batches.delete(abort)) thread.reason = reasonOf(error);
        return false;
      },
    );
    return { thread, isDone };
  }

  /**
   * Ends the thread a job runs on, with everything else on it.
   * @returns false when that thread is ending already, or has yet to begin with the job.
   */
  terminate(id: string): boolean {
    const running = this.#running.get(id);
    if (running === undefined || !running.isBegun || running.thread.isEnding) return false;
    running.thread.isEnding = true;
    void running.thread.worker.terminate();
    return true;
  }

  async close(): Promise<void> {
    await this.#piscina.destroy();
  }

  /** The thread that gets the next batch. Piscina starts another as soon as one fails. */
  #seated(): Thread {
    const worker = this.#piscina.threads[0]!;
    if (this.#thread?.worker === worker) return this.#thread;
    const fresh = { given: 0, ended: 0, isHeavy: false, isEnding: false };
    const thread = {
      worker,
      reason: 'the thread ended',
      batches: new Set<AbortController>(),
      ...fresh,
    };
    this.#thread = thread;
    // By then everything it said has been heard, and piscina has rejected its batches.
    worker.once('exit', () => queueMicrotask(() => this.#bury(thread)));
    return thread;
  }

  #hear(message: FromThread): void {
    switch (message.type) {
      case 'moved':
        return this.#move(unpackMoves(message.text));
      case 'progress':
        return this.#events.progress(message.id, message.value, message.note);
      case 'extended':
        return this.#events.extended(message.id, message.ms);
      case 'deferred':
        return this.#events.deferred(message.taskId, message.error);
      case 'log':
        return this.#events.log(message.id, message.task, message.message, message.fields);
      case 'heavy':
        if (this.#thread !== undefined) this.#thread.isHeavy = true;
        return this.#changed(this);
    }
  }

  #move({ started, ended }: Moves): void {
    for (const { id, end } of ended) {
      const running = this.#running.get(id);
      if (running === undefined) continue;
      this.#running.delete(id);
      running.thread.ended++;
      this.#events.ended(id, end);
    }
    for (const id of started) {
      const running = this.#running.get(id);
      if (running !== undefined) running.isBegun = true;
    }
    if (started.length > 0) this.#events.started(started);
    if (ended.length > 0) this.#changed(this);
  }

  /**
   * All that had not ended on a thread is told as one death. It is its exit that counts: piscina takes a batch for done when
   * its thread throws `null`.
   */
  #bury(thread: Thread): void {
    if (this.#thread === thread) this.#thread = undefined;
    const { reason, given, ended, batches, isEnding: isDeliberate } = thread;
    for (const abort of batches) abort.abort();
    batches.clear();
    const [begun, unstarted]: [string[], string[]] = [[], []];
    for (const [id, running] of this.#running) {
      if (running.thread === thread) (running.isBegun ? begun : unstarted).push(id);
    }
    for (const id of [...begun, ...unstarted]) this.#running.delete(id);
    if (begun.length > 0) {
      this.#events.died(begun, { reason, isFirst: given === 1, isDeliberate });
    }
    if (unstarted.length > 0) {
      this.#events.unstarted(unstarted, { reason, isLoaded: begun.length + ended > 0 });
    }
    if (begun.length + unstarted.length > 0) this.#changed(this);
  }
}

/** What was thrown may be anything. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
