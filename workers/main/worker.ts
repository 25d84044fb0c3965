/**
 * A worker process: its main thread claims jobs and owns their leases, its threads run them. A blocked or dying thread
 * costs no lease; a lost lease stops the job.
 */
import type { ResolvedConfig } from '../../base/config.ts';
import type { Service } from '../../base/service.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import { Consumer, type Broker } from '../../jobs/queue/index.ts';
import { createCommands, type ShutdownKind } from './commands.ts';
import { Dispatch } from './dispatch.ts';
import type { Runs } from './runs.ts';

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
  readonly #consumer: Consumer;
  readonly #dispatch: Dispatch;
  #isStarted = false;
  #abandoning: Promise<void> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor({ config, broker, telemetry, tasks, thread, shutdown }: WorkerOptions) {
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
    // One sweep for all: a timer for each would cost a short job more than its run.
    this.#sweep = setInterval(() => this.runs.endOverruns(), SWEEP_MS);
  }

  /** Lets running jobs end within the grace period, then aborts them; what is left goes back uncharged. */
  async stop(): Promise<void> {
    // The caller closes the connection next.
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

  /** Gives everything held back at once, uncharged, though it still runs here. Takes a second at most; then the process must end. */
  async abandon(): Promise<void> {
    this.#isStarted = false;
    this.#dispatch.drain();
    this.#dispatch.abortAll();
    this.#dispatch.giveBackAll();
    this.#abandoning = this.#consumer.abandon();
    await this.#abandoning;
  }

  get consumer(): Pick<
    Consumer,
    'size' | 'limit' | 'queues' | 'silentMs' | 'addQueue' | 'cancelQueue'
  > {
    return this.#consumer;
  }

  /** Jobs in threads. */
  get runs(): Runs {
    return this.#dispatch.runs;
  }

  get threads(): number {
    return this.#config.workerThreads;
  }

  get concurrency(): number {
    return this.#dispatch.concurrency;
  }

  /** Jobs a thread runs at a time; more than that go on until they end. */
  set concurrency(concurrency: number) {
    this.#dispatch.concurrency = concurrency;
  }
}
