/**
 * A worker process: its main thread claims jobs and owns their leases, its threads run them. A blocked or dying thread
 * costs no lease; a lost lease stops the job.
 */
import type { ResolvedConfig } from '../../base/config.ts';
import {
  AHEAD,
  Consumer,
  Pace,
  type Broker,
  type Delivery,
  type Loss,
} from '../../jobs/queue/index.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import type { Service } from '../../base/service.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import { Alone } from './alone.ts';
import { createCommands, type ShutdownKind } from './commands.ts';
import { ThreadPool } from './pool.ts';
import type { ThreadDeath, ThreadEvents } from './seat.ts';
import { STALLED, type AttemptOutcome, type ThreadJob } from '../protocol.ts';
import { Runs, type Run } from './runs.ts';
import {
  judgeArrival,
  judgeDeath,
  judgeEnd,
  release,
  runsAlone,
  timeLimitMs,
  type Verdict,
} from './settle.ts';

/** Pause before a job is taken again whose run under an earlier, lost lease still goes on here, in milliseconds. */
const STILL_RUNNING_DELAY_MS = 1000;
/** Pause before a job is taken again whose thread could not be started, in milliseconds. */
const UNSTARTED_DELAY_MS = 1000;
/** How often hard limits are looked at, in milliseconds. */
const SWEEP_MS = 50;
/** Time for aborted jobs to end before they are given back without having ended, in milliseconds. */
const ABORT_GRACE_MS = 2000;

export interface WorkerOptions {
  config: ResolvedConfig;
  broker: Broker;
  telemetry: Telemetry;
  /** Those its threads run. */
  tasks: Tasks;
  /** What the threads run, compiled: a module whose default export `serveThread` makes. */
  thread: URL;
  /** Ends the process, when an operator asks this worker for it. Default: it refuses. */
  shutdown?: ((kind: ShutdownKind) => void) | undefined;
}

export class WorkerService implements Service {
  readonly name = 'worker';
  readonly #config: ResolvedConfig;
  readonly #telemetry: Telemetry;
  readonly #tasks: Tasks;
  readonly #consumer: Consumer;
  readonly #pool: ThreadPool;
  /** One job at a time on each thread. */
  readonly #solo: ThreadPool;
  readonly #alone: Alone;
  #concurrency: number;
  readonly #pace = new Pace();
  /** Jobs in threads. */
  readonly runs = new Runs();
  #started = false;
  #abandoning: Promise<void> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor({ config, broker, telemetry, tasks, thread: module, shutdown }: WorkerOptions) {
    this.#config = config;
    this.#tasks = tasks;
    this.#telemetry = telemetry;
    const { workerThreads: threads, workerConcurrency: concurrency } = config;
    this.#concurrency = concurrency;
    const events: ThreadEvents = {
      started: (ids) => this.runs.begin(ids),
      ended: (id, outcome) => this.#ended(id, outcome),
      died: (ids, death) => this.#died(ids, death),
      unstarted: (ids, { reason, isLoaded }) => {
        const delayMs = isLoaded ? 0 : UNSTARTED_DELAY_MS;
        for (const id of ids)
          this.#release(id, delayMs, `its thread ended before it began: ${reason}`);
      },
      extended: (id, ms) => this.runs.extend(id, ms),
      progress: (id, value, note) => this.#consumer.progress(id, JSON.stringify({ value, note })),
      deferred: (taskId, error) => telemetry.emit('task.dispatch_deferred', { taskId, error }),
      log: (jobId, task, message, fields) =>
        telemetry.emit('job.log', { jobId, task, message, fields }),
      replaced: (reason, jobs) => telemetry.emit('thread.replaced', { reason, jobs }),
    };
    this.#pool = new ThreadPool({ config, threads, warm: true, module }, events);
    // One more than isolated jobs may use, so that a suspect never waits for those.
    this.#solo = new ThreadPool({ config, threads: threads + 1, warm: false, module }, events);
    const commands = createCommands({ worker: this, broker, telemetry, tasks, shutdown });
    this.#consumer = new Consumer(broker, {
      queues: config.workerQueues,
      limit: threads * concurrency,
      leaseMs: config.leaseMs,
      deliver: (deliveries) => this.#deliver(deliveries),
      lost: (ids, why) => this.#lost(ids, why),
      commanded: (verb, args) => commands.run(verb, args),
      reaped: (workerId, jobs) => telemetry.emit('worker.reaped', { workerId, jobs }),
      repaired: (jobIds) => telemetry.emit('queue.repaired', { jobIds }),
      failed: (error) => telemetry.emit('loop.failed', { loop: 'consumer', error }),
    });
    this.#alone = new Alone(this.#consumer, threads, {
      ready: () => this.#solo.ready(),
      run: (delivery, onFresh) => this.#run([delivery], this.#solo, onFresh),
    });
  }

  async start(): Promise<void> {
    this.#started = true;
    await this.#consumer.start();
    // One sweep for all: a timer for each would cost a short job more than its run.
    this.#sweep = setInterval(() => this.runs.endOverruns(), SWEEP_MS);
  }

  /** Lets running jobs end within the grace period, then aborts them; what is left goes back uncharged. */
  async stop(): Promise<void> {
    // Whoever stops it closes its connection next.
    if (this.#abandoning !== undefined) await this.#abandoning;
    else if (this.#started) await this.#drain();
    else return;
    await this.#consumer.stop();
    clearInterval(this.#sweep);
    await Promise.all([this.#pool.close(), this.#solo.close()]);
  }

  async #drain(): Promise<void> {
    this.#started = false;
    this.#alone.giveBack();
    const { shutdownGraceMs } = this.#config;
    const grace = setTimeout(() => this.#abortAll(), shutdownGraceMs);
    const abandon = setTimeout(() => this.#abandonAll(), shutdownGraceMs + ABORT_GRACE_MS);
    await this.#consumer.drain();
    clearTimeout(grace);
    clearTimeout(abandon);
  }

  /** Gives everything held back at once, uncharged, though it still runs here. Takes a second at most; then the process must end. */
  async abandon(): Promise<void> {
    this.#started = false;
    this.#alone.giveBack();
    this.#abortAll();
    this.#abandonAll();
    this.#abandoning = this.#consumer.abandon();
    await this.#abandoning;
  }

  get consumer(): Pick<
    Consumer,
    'size' | 'limit' | 'queues' | 'silentMs' | 'addQueue' | 'cancelQueue'
  > {
    return this.#consumer;
  }

  get threads(): number {
    return this.#config.workerThreads;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  /** Jobs a thread runs at a time; more than that go on until they end. */
  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.#pool.concurrency = concurrency;
    this.#setLimit();
  }

  #abortAll(): void {
    for (const id of this.runs.keys()) this.runs.abort(id, 'shutdown');
  }

  /** For jobs that ignore their signal: given back while their threads are about to be ended. */
  #abandonAll(): void {
    for (const id of this.runs.keys()) this.#release(id, 0, 'shutdown');
  }

  #release(id: string, delayMs: number, reason: string): void {
    const running = this.#forget(id);
    if (running === undefined || running.lost) return;
    this.#pass(running.delivery, release(running.delivery, delayMs, reason));
  }

  /** Short jobs travel in batches, one for each thread; others alone, so that none waits behind another. */
  #deliver(deliveries: readonly Delivery[]): void {
    const ready = deliveries.filter((delivery) => this.#isReady(delivery));
    const size = this.#pace.isShort ? Math.ceil(ready.length / this.#config.workerThreads) : 1;
    for (let i = 0; i < ready.length; i += size) this.#run(ready.slice(i, i + size), this.#pool);
  }

  #isReady(delivery: Delivery): boolean {
    const { id } = delivery.job;
    // Handed over while the worker had not yet said that it stops.
    if (!this.#started) {
      this.#consumer.settle(id, { kind: 'back', delayMs: 0 });
      return false;
    }
    if (this.#pool.runs(id) || this.#solo.runs(id)) {
      this.#consumer.settle(id, { kind: 'back', delayMs: STILL_RUNNING_DELAY_MS });
      return false;
    }
    const verdict = judgeArrival(delivery);
    if (verdict !== undefined) this.#pass(delivery, verdict);
    else if (runsAlone(delivery, this.#tasks.find(delivery.job.task))) this.#alone.add(delivery);
    else return true;
    return false;
  }

  #run(deliveries: readonly Delivery[], pool: ThreadPool, onFresh = false): void {
    const jobs: ThreadJob[] = deliveries.map((delivery) => {
      const { id, task, queue, payload, headers, createdAtMs } = delivery.job;
      this.runs.add(delivery, pool, timeLimitMs(this.#tasks.find(task)));
      return { id, task, queue, payload, headers, attempts: delivery.counts.attempts, createdAtMs };
    });
    pool.run(jobs, onFresh);
  }

  #forget(id: string): Run | undefined {
    const running = this.runs.get(id);
    if (running === undefined) return undefined;
    this.runs.delete(id);
    if (running.pool === this.#solo) this.#alone.ended(id);
    return running;
  }

  #ended(id: string, end: AttemptOutcome): void {
    const running = this.#forget(id);
    if (running === undefined) return;
    this.#notePace(running, end);
    if (!running.lost) this.#pass(running.delivery, judgeEnd(running.delivery, end));
  }

  #died(ids: readonly string[], { reason, isFirst, isDeliberate: collateral }: ThreadDeath): void {
    this.#telemetry.emit('thread.died', { jobIds: [...ids], reason });
    for (const id of ids) {
      const ended = this.#forgetDead(id, isFirst);
      if (ended === undefined || ended.lost) continue;
      const { delivery, pool, overran, limitMs } = ended;
      const alone = pool === this.#solo;
      const task = this.#tasks.find(delivery.job.task);
      const death = { overran, collateral, alone, limitMs, reason };
      this.#pass(delivery, judgeDeath(delivery, task, death));
    }
  }

  /** One that was alone may have died of a late error of the job before: it is not charged, but runs again on a fresh thread. */
  #forgetDead(id: string, isFirst: boolean): Run | undefined {
    const running = this.runs.get(id);
    if (running === undefined) return undefined;
    const { pool, overran, terminated, lost } = running;
    if (pool !== this.#solo || isFirst || overran || terminated || lost) return this.#forget(id);
    this.runs.delete(id);
    this.#alone.again(id);
    return undefined;
  }

  #pass({ job }: Delivery, { outcome, emit }: Verdict): void {
    this.#consumer.settle(job.id, outcome);
    emit(this.#telemetry);
  }

  #notePace({ startedMs }: Run, end: AttemptOutcome): void {
    const changed =
      end.kind === 'released'
        ? end.reason === STALLED && this.#pace.reset()
        : this.#pace.note(performance.now() - startedMs);
    if (changed) this.#setLimit();
  }

  #setLimit(): void {
    const ahead = this.#pace.isShort ? AHEAD : 0;
    this.#consumer.limit = this.#config.workerThreads * this.#concurrency + ahead;
  }

  /** The hard limit stays: a job that ignores its signal must not keep its thread for ever. */
  #lost(ids: readonly string[], why: Loss): void {
    this.#alone.drop(ids);
    for (const id of ids) {
      const running = this.runs.get(id);
      if (running === undefined || running.lost) continue;
      running.lost = true;
      this.runs.abort(id, why);
      const event = why === 'revoked' ? 'job.revoked' : 'job.lease_lost';
      this.#telemetry.emit(event, { jobId: id, task: running.delivery.job.task });
    }
  }
}
