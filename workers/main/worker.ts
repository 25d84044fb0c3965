/**
 * A worker process. Its main thread claims jobs and owns their leases, so a blocked or dead thread costs no lease; its
 * threads run the jobs. A lost lease stops the job.
 */
import type { ResolvedConfig } from '../../base/config.ts';
import type { Service } from '../../base/service.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import { Consumer, type Broker } from '../../jobs/queue/index.ts';
import { createCommands, type ShutdownKind } from './commands.ts';
import { Dispatch } from './dispatch.ts';
import type { Runs } from './runs.ts';

/** Interval of the hard limit check, in milliseconds. */
const SWEEP_MS = 50;
/** How long aborted jobs may run before they are given back unfinished, in milliseconds. */
const ABORT_GRACE_MS = 2000;

export interface WorkerOptions {
  config: ResolvedConfig;
  broker: Broker;
  telemetry: Telemetry;
  tasks: Tasks;
  /** Compiled module whose default export comes from `serveThread`. */
  thread: URL;
  /** Ends the process on an operator's command. Default: the worker refuses. */
  shutdown?: ((kind: ShutdownKind) => void) | undefined;
  /** Ends the process when a thread cannot be ended. Default: the thread is replaced, and its native call keeps a core busy. */
  stuck?: (() => void) | undefined;
}

export class WorkerService implements Service {
  readonly name = 'worker';
  readonly #config: ResolvedConfig;
  readonly #consumer: Consumer;
  readonly #dispatch: Dispatch;
  #isStarted = false;
  #abandoning: Promise<void> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor({ config, broker, telemetry, tasks, thread, shutdown, stuck }: WorkerOptions) {
    this.#config = config;
    const dispatch = new Dispatch({
      config,
      telemetry,
      tasks,
      thread,
      queue: {
        settle: (id, settlement) => this.#consumer.settle(id, settlement),
        mark: (id, counts) => this.#consumer.mark(id, counts),
        progress: (id, text) => this.#consumer.progress(id, text),
      },
      limitChanged: () => (this.#consumer.limit = dispatch.limit),
      stuck: () => stuck?.(),
    });
    this.#dispatch = dispatch;
    const commands = createCommands({ worker: this, broker, telemetry, tasks, shutdown });
    this.#consumer = new Consumer(broker, {
      queues: config.workerQueues,
      limit: config.workerThreads * config.workerConcurrency,
      leaseMs: config.leaseMs,
      deliver: (deliveries) => dispatch.deliver(deliveries),
      lost: (ids, why) => dispatch.lost(ids, why),
      commanded: (verb, args) => commands.run(verb, args),
      reaped: (workerId, jobs) => telemetry.emit('worker.reaped', { workerId, jobs }),
      repaired: (jobIds) => telemetry.emit('queue.repaired', { jobIds }),
      failed: (error) => telemetry.emit('loop.failed', { loop: 'consumer', error }),
    });
  }

  async start(): Promise<void> {
    this.#isStarted = true;
    this.#dispatch.open();
    await this.#consumer.start();
    // One sweep for all jobs: a timer each would cost more than a short job's run.
    this.#sweep = setInterval(() => this.runs.endOverruns(), SWEEP_MS);
  }

  /** Graceful shutdown: aborts jobs that outlast the grace period, then gives back the rest uncharged. */
  async stop(): Promise<void> {
    // The caller closes the connection next, so the give-back must complete first.
    if (this.#abandoning !== undefined) await this.#abandoning;
    else if (this.#isStarted) await this.#drain();
    else return;
    await this.#consumer.stop();
    clearInterval(this.#sweep);
    await this.#dispatch.close();
  }

  async #drain(): Promise<void> {
    this.#isStarted = false;
    this.#dispatch.drain();
    const { shutdownGraceMs } = this.#config;
    const grace = setTimeout(() => this.#dispatch.abortAll(), shutdownGraceMs);
    const abandon = setTimeout(
      () => this.#dispatch.giveBackAll(),
      shutdownGraceMs + ABORT_GRACE_MS,
    );
    await this.#consumer.drain();
    clearTimeout(grace);
    clearTimeout(abandon);
  }

  /** Gives back all held jobs uncharged and ends their threads. The process must end afterwards, a second later at most. */
  async abandon(): Promise<void> {
    this.#isStarted = false;
    this.#dispatch.drain();
    this.#dispatch.abortAll();
    this.#dispatch.giveBackAll();
    this.#abandoning = this.#consumer.abandon();
    await Promise.all([this.#abandoning, this.#dispatch.close()]);
  }

  get consumer(): Pick<
    Consumer,
    'size' | 'limit' | 'queues' | 'silentMs' | 'addQueue' | 'cancelQueue'
  > {
    return this.#consumer;
  }

  /** Whether a thread that was told to end still runs: `process.exit` would wait for it. */
  get isStuck(): boolean {
    return this.#dispatch.isEnding;
  }

  get runs(): Runs {
    return this.#dispatch.runs;
  }

  get threads(): number {
    return this.#config.workerThreads;
  }

  get concurrency(): number {
    return this.#dispatch.concurrency;
  }

  /** Per thread. Running jobs above a lowered limit continue. */
  set concurrency(concurrency: number) {
    this.#dispatch.concurrency = concurrency;
  }
}
