/** Runs an async handler for each job in this process, without threads, up to `concurrency` at a time. */
import { wholeFrom, type Rule } from '../../../base/options/rules.ts';
import type { Service } from '../../../base/service.ts';
import { guard } from '../../../base/telemetry/guard.ts';
import type { Broker } from '../broker/broker.ts';
import { assertOptions, FUNCTION, QUEUES } from '../broker/check-options.ts';
import { Consumer, LEASE_MS } from './consumer.ts';
import { messageOf } from '../broker/errors.ts';
import type { Delivery } from './lane.ts';
import { AHEAD, Pace } from './pace.ts';
import { assertDuration, type Job } from '../broker/record.ts';
import { Stall } from './stall.ts';

export interface RunnerOptions {
  /** Queues to serve, in turn. */
  queues: readonly string[];
  /** Handlers running at a time. Default 50. */
  concurrency?: number;
  /** Time without a heartbeat after which other workers take over the jobs. Default 15,000. */
  leaseMs?: number;
  /** Returns the result as JSON text. It may run more than once for the same job. */
  run(job: Job): Promise<string> | string;
  /**
   * Returns whole milliseconds until the next attempt after a failure, or undefined for a dead letter. `attempts` includes the
   * failed one. Default: a dead letter at once.
   */
  retry?(error: unknown, attempts: number): number | undefined;
  /** Reports failures of the queue itself; the runner continues. */
  failed?(error: unknown): void;
}

const RULES: Record<keyof RunnerOptions, Rule> = {
  queues: QUEUES,
  concurrency: wholeFrom(1),
  leaseMs: LEASE_MS,
  run: FUNCTION,
  retry: FUNCTION,
  failed: FUNCTION,
};

export class Runner implements Service {
  readonly name = 'runner';
  readonly #options: RunnerOptions;
  readonly #concurrency: number;
  readonly #consumer: Consumer;
  readonly #pace = new Pace();
  readonly #ahead: Delivery[] = [];
  readonly #stall = new Stall(() => this.#giveBack());
  #running = 0;

  /** @throws {QueueError} `OPTION_INVALID` */
  constructor(broker: Broker, options: RunnerOptions) {
    assertOptions('Runner', options, RULES, ['queues', 'run']);
    this.#options = options;
    this.#concurrency = options.concurrency ?? 50;
    this.#consumer = new Consumer(broker, {
      queues: options.queues,
      limit: this.#concurrency,
      ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
      deliver: (deliveries) => this.#take(deliveries),
      failed: (error) => options.failed?.(error),
    });
  }

  async start(): Promise<void> {
    await this.#consumer.start();
  }

  /** Stops claiming, lets running jobs end and returns the others. */
  async stop(): Promise<void> {
    this.#giveBack();
    await this.#consumer.drain();
    await this.#consumer.stop();
  }

  #take(deliveries: readonly Delivery[]): void {
    this.#ahead.push(...deliveries);
    this.#fill();
  }

  #fill(): void {
    while (this.#running < this.#concurrency) {
      const delivery = this.#ahead.shift();
      if (delivery === undefined) break;
      this.#running++;
      void this.#run(delivery);
    }
    this.#stall.watch(this.#ahead.length > 0, false);
  }

  async #run({ job, counts: before }: Delivery): Promise<void> {
    const startedMs = performance.now();
    const counts = { ...before, attempts: before.attempts + 1 };
    try {
      const result: unknown = await this.#options.run(job);
      assertJsonText(result);
      this.#consumer.settle(job.id, { kind: 'succeeded', result, counts });
    } catch (error) {
      this.#fail(job, counts, error);
    }
    this.#running--;
    if (this.#pace.note(performance.now() - startedMs)) this.#setLimit();
    this.#fill();
    this.#stall.watch(this.#ahead.length > 0, true);
  }

  #fail({ id }: Job, counts: Delivery['counts'], error: unknown): void {
    let delayMs: number | undefined;
    try {
      delayMs = this.#options.retry?.(error, counts.attempts);
      if (delayMs !== undefined) assertDuration('The delay of a retry', delayMs);
    } catch (cause) {
      // If the policy itself fails, the job still ends, as a dead letter.
      delayMs = undefined;
      guard(() => this.#options.failed?.(cause));
    }
    if (delayMs !== undefined) return this.#consumer.settle(id, { kind: 'back', delayMs, counts });
    const message = messageOf(error);
    const reason = { code: 'HANDLER_FAILED', message };
    this.#consumer.settle(id, { kind: 'failed', reason, counts });
  }

  #giveBack(): void {
    if (this.#pace.reset()) this.#setLimit();
    for (const { job } of this.#ahead.splice(0)) {
      this.#consumer.settle(job.id, { kind: 'back', delayMs: 0 });
    }
    this.#stall.watch(false, false);
  }

  #setLimit(): void {
    this.#consumer.limit = this.#concurrency + (this.#pace.isShort ? AHEAD : 0);
  }
}

/** @throws {TypeError} or {SyntaxError} for a result that would not reach the caller unchanged. */
function assertJsonText(result: unknown): asserts result is string {
  if (typeof result !== 'string' || !result.isWellFormed()) {
    throw new TypeError('The handler did not return JSON text.');
  }
  JSON.parse(result);
}
