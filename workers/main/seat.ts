/**
 * The seat of one thread: sends batches, receives messages and replaces a dead thread. One piscina per thread shows
 * which thread has which jobs, and lets a successor start while it finishes them.
 */
import type { Worker } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { describeError } from '../../base/telemetry/describe-error.ts';
import {
  packBatch,
  unpackMoves,
  type Batch,
  type FromThread,
  type Moves,
  type ThreadData,
} from '../protocol.ts';
import type { Endings } from './endings.ts';
import { createPiscina } from './piscina.ts';
import type { ThreadEvents } from './pool-events.ts';

export interface SeatOptions {
  data: ThreadData;
  module: URL;
  warm: boolean;
  endings: Endings;
}

interface Thread {
  worker: Worker;
  /** Why it ended, as reported by piscina. */
  reason: string;
  /** Number of jobs sent to it, and of those that ended. */
  given: number;
  ended: number;
  /** Unfinished batches. */
  batches: Set<AbortController>;
  isHeavy: boolean;
  isEnding: boolean;
}

interface RunningJob {
  thread: Thread;
  /** Whether its handler runs. */
  isBegun: boolean;
}

export class Seat {
  readonly #piscina: Piscina<string, void>;
  readonly #events: ThreadEvents;
  readonly #changed: (seat: Seat) => void;
  readonly #endings: Endings;
  readonly #running = new Map<string, RunningJob>();
  #thread: Thread | undefined;
  #isStuck = false;

  /** @param changed called when a job ends or the heap is too large. */
  constructor(
    { data, module, warm, endings }: SeatOptions,
    events: ThreadEvents,
    changed: (seat: Seat) => void,
  ) {
    this.#events = events;
    this.#changed = changed;
    this.#endings = endings;
    this.#piscina = createPiscina(data, module, warm);
    this.#piscina.on('message', (message: FromThread) => this.#hear(message));
    this.#piscina.on('error', (error: unknown) => {
      const reason = describeError(error).message;
      if (this.#thread !== undefined) this.#thread.reason = reason;
      events.died([], { reason, isFirst: false, isDeliberate: false });
    });
  }

  get load(): number {
    return this.#running.size;
  }

  /** Whether the thread has had no job or has not started. */
  get isFresh(): boolean {
    return (this.#thread?.given ?? 0) === 0;
  }

  get ended(): number {
    return this.#thread?.ended ?? 0;
  }

  get isHeavy(): boolean {
    return this.#thread?.isHeavy ?? false;
  }

  /** Whether its thread could not be ended. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  runs(id: string): boolean {
    return this.#running.has(id);
  }

  /** Resolves to whether the thread has loaded its modules. */
  async ready(concurrency: number): Promise<boolean> {
    return this.#send({ concurrency, jobs: [] }).isDone;
  }

  run(batch: Batch): void {
    const { jobs } = batch;
    const { thread } = this.#send(batch);
    thread.given += jobs.length;
    for (const { id } of jobs) this.#running.set(id, { thread, isBegun: false });
  }

  /** Aborted with its thread: piscina would hand a batch whose thread fails to load to the next thread. */
  #send(batch: Batch): { thread: Thread; isDone: Promise<boolean> } {
    const abort = new AbortController();
    const sent = this.#piscina.run(packBatch(batch), { signal: abort.signal });
    const thread = this.#seated();
    thread.batches.add(abort);
    const isDone = sent.then(
      () => thread.batches.delete(abort),
      (error: unknown) => {
        if (thread.batches.delete(abort)) thread.reason = describeError(error).message;
        return false;
      },
    );
    return { thread, isDone };
  }

  /**
   * Ends the thread of a job, with all other jobs on it.
   * @returns false when the thread is ending already or has not started the job.
   */
  terminate(id: string): boolean {
    const running = this.#running.get(id);
    if (running === undefined || !running.isBegun || running.thread.isEnding) return false;
    running.thread.isEnding = true;
    void this.#end(running.thread);
    return true;
  }

  /** A thread that cannot be ended runs no more of our code: its jobs are reported now, and it is left to its native call. */
  async #end(thread: Thread): Promise<void> {
    if (await this.#endings.end(thread.worker)) return;
    this.#isStuck = true;
    thread.reason = 'the thread is in a native call and could not be ended';
    this.#bury(thread);
    this.#events.stuck();
  }

  /** Does not wait for a thread that cannot be ended. */
  async close(): Promise<void> {
    const workers = [...this.#piscina.threads];
    const destroyed = this.#piscina.destroy();
    const ended = await Promise.all(workers.map((worker) => this.#endings.end(worker)));
    if (!ended.includes(false)) await destroyed;
  }

  /** The thread of the next batch. Piscina replaces a failed thread at once. */
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
    // By then all its messages have arrived, and piscina has rejected its batches.
    worker.once('exit', () => queueMicrotask(() => this.#bury(thread)));
    return thread;
  }

  #hear(message: FromThread | null | undefined): void {
    // A task may post messages of its own.
    if (message === null || message === undefined) return;
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

  #move({ started, handled, ended }: Moves): void {
    for (const { id, end, ranMs } of ended) {
      const running = this.#running.get(id);
      if (running === undefined) continue;
      this.#running.delete(id);
      running.thread.ended++;
      this.#events.ended(id, end, ranMs);
    }
    for (const id of started) {
      const running = this.#running.get(id);
      if (running !== undefined) running.isBegun = true;
    }
    for (const id of handled) {
      const running = this.#running.get(id);
      if (running !== undefined) running.isBegun = false;
    }
    if (started.length > 0) this.#events.started(started);
    if (handled.length > 0) this.#events.handled(handled);
    if (ended.length > 0) this.#changed(this);
  }

  /**
   * Reports all unfinished jobs as one death. The exit counts, because piscina reports a batch as done when its thread
   * throws `null`.
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
