/**
 * A worker process: its main thread claims jobs and owns their leases, its threads run them. A blocked or dying thread
 * costs no lease; a lost lease stops the job.
 */
import type { ResolvedConfig } from '../config.ts';
import {
  AHEAD,
  Consumer,
  Pace,
  type Broker,
  type Delivery,
  type Loss,
} from '../jobs/queue/index.ts';
import type { Service } from '../service.ts';
import type { Telemetry } from '../telemetry.ts';
import { Alone } from './alone.ts';
import { ThreadPool, type PoolEvents } from './pool.ts';
import { STALLED, type AttemptOutcome, type ThreadJob } from './protocol.ts';
import { judgeDeath, judgeEnd, release, runsAlone, timeLimitMs, type Verdict } from './verdict.ts';

/** Pause before a job is taken again whose run under an earlier, lost lease still goes on here, in milliseconds. */
const STILL_RUNNING_DELAY_MS = 1000;
/** How often hard limits are looked at, in milliseconds. */
const SWEEP_MS = 50;
/** Time for aborted jobs to end before they are given back without having ended, in milliseconds. */
const ABORT_GRACE_MS = 2000;

interface Running {
  delivery: Delivery;
  pool: ThreadPool;
  /** Its hard limit; counts from `startedMs`, which is infinite until a thread has begun with it. */
  limitMs: number;
  overran: boolean;
  /** Its lease is lost: however it ends, that is nobody's business here. */
  lost: boolean;
  startedMs: number;
}

export class WorkerService implements Service {
  readonly name = 'worker';
  readonly #config: ResolvedConfig;
  readonly #telemetry: Telemetry;
  readonly #consumer: Consumer;
  readonly #pool: ThreadPool;
  /** One job at a time on each thread. */
  readonly #solo: ThreadPool;
  readonly #alone: Alone;
  readonly #pace = new Pace();
  readonly #running = new Map<string, Running>();
  #started = false;
  #sweep: NodeJS.Timeout | undefined;

  /** @param module what the threads run, see `PoolOptions`. */
  constructor(config: ResolvedConfig, broker: Broker, telemetry: Telemetry, module?: URL) {
    this.#config = config;
    this.#telemetry = telemetry;
    const { workerThreads: threads, workerConcurrency: concurrency } = config;
    const events: PoolEvents = {
      started: (ids) => this.#begin(ids),
      ended: (id, outcome) => this.#ended(id, outcome),
      died: (ids, reason, isFirst) => this.#died(ids, reason, isFirst),
      extended: (id, ms) => this.#extend(id, ms),
      progress: (id, value, note) => this.#consumer.progress(id, JSON.stringify({ value, note })),
      deferred: (taskId, error) => telemetry.emit('task.dispatch_deferred', { taskId, error }),
      log: (jobId, task, message, fields) =>
        telemetry.emit('job.log', { jobId, task, message, fields }),
      replaced: (reason, jobs) => telemetry.emit('thread.replaced', { reason, jobs }),
    };
    this.#pool = new ThreadPool({ config, threads, warm: true, module }, events);
    // One more than isolated jobs may use, so that a suspect never waits for those.
    this.#solo = new ThreadPool({ config, threads: threads + 1, warm: false, module }, events);
    this.#consumer = new Consumer(broker, {
      queues: config.workerQueues,
      limit: threads * concurrency,
      leaseMs: config.leaseMs,
      deliver: (deliveries) => this.#deliver(deliveries),
      lost: (ids, why) => this.#lost(ids, why),
      reaped: (workerId, jobs) => telemetry.emit('worker.reaped', { workerId, jobs }),
      failed: (error) => telemetry.emit('loop.failed', { loop: 'consumer', error }),
    });
    this.#alone = new Alone(this.#consumer, threads, (delivery, onFresh) =>
      this.#run([delivery], this.#solo, onFresh),
    );
  }

  async start(): Promise<void> {
    this.#started = true;
    await this.#consumer.start();
    // One sweep for all: a timer for each would cost a short job more than its run.
    this.#sweep = setInterval(() => this.#endOverruns(), SWEEP_MS);
  }

  /** Lets running jobs end within the grace period, then aborts them; what is left goes back uncharged. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#alone.giveBack();
    const { shutdownGraceMs } = this.#config;
    const grace = setTimeout(() => this.#abortAll(), shutdownGraceMs);
    const abandon = setTimeout(() => this.#abandonAll(), shutdownGraceMs + ABORT_GRACE_MS);
    await this.#consumer.drain();
    clearTimeout(grace);
    clearTimeout(abandon);
    await this.#consumer.stop();
    clearInterval(this.#sweep);
    await Promise.all([this.#pool.close(), this.#solo.close()]);
  }

  #abortAll(): void {
    const ids = [...this.#running.keys()];
    this.#pool.abort(ids, 'shutdown');
    this.#solo.abort(ids, 'shutdown');
  }

  /** For jobs that ignore their signal: given back while their threads are about to be ended. */
  #abandonAll(): void {
    for (const [id, { delivery, lost }] of this.#running) {
      this.#forget(id);
      if (!lost) this.#pass(delivery, release(delivery, 0, 'shutdown'));
    }
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
    if (!runsAlone(delivery)) return true;
    this.#alone.add(delivery);
    return false;
  }

  #run(deliveries: readonly Delivery[], pool: ThreadPool, onFresh = false): void {
    const jobs: ThreadJob[] = deliveries.map((delivery) => {
      const { id, task, queue, payload, headers, createdAtMs } = delivery.job;
      const fresh = {
        limitMs: timeLimitMs(task),
        overran: false,
        lost: false,
        startedMs: Infinity,
      };
      this.#running.set(id, { delivery, pool, ...fresh });
      return { id, task, queue, payload, headers, attempts: delivery.counts.attempts, createdAtMs };
    });
    pool.run(jobs, onFresh);
  }

  #begin(ids: readonly string[]): void {
    const nowMs = performance.now();
    for (const id of ids) {
      const running = this.#running.get(id);
      if (running !== undefined) running.startedMs = nowMs;
    }
  }

  #extend(id: string, ms: number): void {
    const running = this.#running.get(id);
    if (running !== undefined) running.limitMs += ms;
  }

  /** Only the first to run over its limit on a thread is to blame: it may have kept the others from running. */
  #endOverruns(): void {
    const nowMs = performance.now();
    for (const [id, running] of this.#running) {
      if (running.startedMs + running.limitMs > nowMs || running.overran) continue;
      running.overran = running.pool.terminate(id);
    }
  }

  #forget(id: string): Running | undefined {
    const running = this.#running.get(id);
    if (running === undefined) return undefined;
    this.#running.delete(id);
    if (running.pool === this.#solo) this.#alone.ended(id);
    return running;
  }

  #ended(id: string, end: AttemptOutcome): void {
    const running = this.#forget(id);
    if (running === undefined) return;
    this.#notePace(running, end);
    if (!running.lost) this.#pass(running.delivery, judgeEnd(running.delivery, end));
  }

  #died(ids: readonly string[], reason: string, isFirst: boolean): void {
    this.#telemetry.emit('thread.died', { jobIds: [...ids], reason });
    const ended = ids.map((id) => this.#forgetDead(id, isFirst)).filter((one) => one !== undefined);
    const collateral = ended.some((running) => running.overran);
    for (const { delivery, pool, overran, lost, limitMs } of ended) {
      if (lost) continue;
      const alone = pool === this.#solo;
      this.#pass(delivery, judgeDeath(delivery, { overran, collateral, alone, limitMs, reason }));
    }
  }

  /** One that was alone may have died of a late error of the job before: it is not charged, but runs again on a fresh thread. */
  #forgetDead(id: string, isFirst: boolean): Running | undefined {
    const running = this.#running.get(id);
    const isItsOwn = isFirst || running?.overran === true || running?.lost === true;
    if (running?.pool !== this.#solo || isItsOwn) return this.#forget(id);
    this.#running.delete(id);
    this.#alone.again(id);
    return undefined;
  }

  #pass({ job }: Delivery, { outcome, emit }: Verdict): void {
    this.#consumer.settle(job.id, outcome);
    emit(this.#telemetry);
  }

  #notePace({ startedMs }: Running, end: AttemptOutcome): void {
    const changed =
      end.kind === 'released'
        ? end.reason === STALLED && this.#pace.reset()
        : this.#pace.note(performance.now() - startedMs);
    if (!changed) return;
    const { workerThreads, workerConcurrency } = this.#config;
    this.#consumer.limit = workerThreads * workerConcurrency + (this.#pace.isShort ? AHEAD : 0);
  }

  /** The hard limit stays: a job that ignores its signal must not keep its thread for ever. */
  #lost(ids: readonly string[], why: Loss): void {
    this.#alone.drop(ids);
    for (const id of ids) {
      const running = this.#running.get(id);
      if (running === undefined || running.lost) continue;
      running.lost = true;
      running.pool.abort([id], why);
      const event = why === 'revoked' ? 'job.revoked' : 'job.lease_lost';
      this.#telemetry.emit(event, { jobId: id, task: running.delivery.job.task });
    }
  }
}
