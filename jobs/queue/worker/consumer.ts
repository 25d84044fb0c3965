/** Takes jobs from every shard for one worker process. The receiver of the deliveries runs them. */
import { randomUUID } from 'node:crypto';
import { wholeFrom, type Rule } from '../../../base/options/rules.ts';
import type { Service } from '../../../base/service.ts';
import { guard } from '../../../base/telemetry/guard.ts';
import type { Broker } from '../broker/broker.ts';
import { Capacity } from './capacity.ts';
import { Commands } from './commands.ts';
import { assertOptions, FUNCTION, QUEUES } from '../broker/check-options.ts';
import { assertQueueName } from '../broker/keys.ts';
import type { Delivery, Lane, Loss } from './lane.ts';
import { Member } from './member.ts';
import { MAX_DURATION_MS } from '../broker/record.ts';
import type { Counts } from '../broker/counts.ts';
import type { Settlement } from './settlements.ts';

export interface ConsumerOptions {
  /** Queues to serve, in turn. */
  queues: readonly string[];
  /** Most jobs to hold at a time, over all shards. */
  limit: number;
  /** Time without a heartbeat after which other workers take over the jobs. Default 15,000. */
  leaseMs?: number;
  /** Receives jobs to run; the receiver must settle every one. If it throws, those it has not settled go back to their lines. */
  deliver(deliveries: Delivery[]): void;
  /** Receives ids of jobs that this worker no longer leases, so it should stop them. */
  lost?(ids: string[], why: Loss): void;
  /** Executes an operator's command. The caller receives the JSON value or the error's message. Default: refuses commands. */
  commanded?(verb: string, args: unknown): Promise<unknown>;
  /** Reports jobs recovered from another worker. */
  reaped?(worker: string, jobs: number): void;
  /** Reports jobs that were in no place in Redis, or in several, and are repaired. */
  repaired?(ids: string[]): void;
  /** Reports failures; the consumer continues. */
  failed?(error: unknown): void;
}

export const LEASE_MS: Rule = wholeFrom(100, MAX_DURATION_MS);

const LIMIT = wholeFrom(1);
const RULES: Record<keyof ConsumerOptions, Rule> = {
  queues: QUEUES,
  limit: LIMIT,
  leaseMs: LEASE_MS,
  deliver: FUNCTION,
  lost: FUNCTION,
  commanded: FUNCTION,
  reaped: FUNCTION,
  repaired: FUNCTION,
  failed: FUNCTION,
};

/** Pause of a job whose delivery threw, in milliseconds. */
const UNDELIVERED_DELAY_MS = 1000;

export class Consumer implements Service {
  readonly name = 'consumer';
  /** Random, as two processes may share a host name. */
  readonly id = randomUUID();
  readonly #broker: Broker;
  readonly #options: ConsumerOptions;
  readonly #members: Member[];
  /** Shared with the lanes. */
  readonly #queues: string[];
  readonly #capacity: Capacity;
  #waiting: (() => void)[] = [];

  /** @throws {QueueError} `OPTION_INVALID` */
  constructor(broker: Broker, options: ConsumerOptions) {
    assertOptions('Consumer', options, RULES, ['queues', 'limit', 'deliver']);
    this.#broker = broker;
    this.#options = options;
    const { leaseMs = 15_000 } = options;
    const queues = (this.#queues = [...options.queues]);
    const commands = new Commands(broker, this.id, options, (error) => this.#failed(error));
    this.#capacity = new Capacity(options.limit);
    this.#members = Array.from(
      { length: broker.shards },
      (_, shard) =>
        new Member(
          shard,
          broker,
          { worker: this.id, queues, capacity: this.#capacity, leaseMs },
          {
            deliver: (deliveries) => this.#deliver(deliveries),
            lost: (ids, why) => this.#lost(ids, why),
            commanded: (command) => commands.hear(command),
            reaped: (worker, jobs) => this.#tell(() => options.reaped?.(worker, jobs)),
            repaired: (ids) => this.#tell(() => options.repaired?.(ids)),
            failed: (error) => this.#failed(error),
          },
        ),
    );
  }

  get size(): number {
    return this.#capacity.size;
  }

  get queues(): readonly string[] {
    return this.#queues;
  }

  /** Longest time that any shard has been silent; a few seconds at most in normal operation. */
  get silentMs(): number {
    return Math.max(...this.#members.map((member) => member.silentMs));
  }

  /** Serves another queue from now on. @throws {QueueError} when Redis is unavailable; the next heartbeat registers it. */
  async addQueue(queue: string): Promise<void> {
    assertQueueName(queue);
    if (!this.#queues.includes(queue)) this.#queues.push(queue);
    await this.#changeQueues();
  }

  /**
   * Stops serving a queue: once this resolves, none of its jobs is delivered here. Running jobs continue.
   * @throws {QueueError} when Redis is unavailable; until a heartbeat succeeds, the lane returns jobs of the queue to it.
   */
  async cancelQueue(queue: string): Promise<void> {
    const index = this.#queues.indexOf(queue);
    if (index >= 0) this.#queues.splice(index, 1);
    await this.#changeQueues();
  }

  get limit(): number {
    return this.#capacity.limit;
  }

  /** Takes effect with the next round. @throws {QueueError} `OPTION_INVALID` */
  set limit(limit: number) {
    assertOptions('Consumer', { limit }, { limit: LIMIT });
    this.#capacity.limit = limit;
    for (const { lane } of this.#members) lane.round();
  }

  async start(): Promise<void> {
    for (const member of this.#members) await member.start();
  }

  settle(id: string, settlement: Settlement): void {
    this.#laneOf(id).settle(id, settlement);
    if (this.#waiting.length > 0 && this.size === 0) this.#release();
  }

  /** Records in Redis that a job is about to run alone. @returns false when it must not run, as the lease is lost. */
  async mark(id: string, counts: Counts): Promise<boolean> {
    return this.#broker.mark(this.#broker.shardOf(id), this.id, id, counts);
  }

  /** Stores the progress of a held job, JSON text, until the job ends. Errors are ignored, as only readers depend on it. */
  progress(id: string, text: string): void {
    const lane = this.#laneOf(id);
    if (!lane.holds(id)) return;
    this.#broker.progress(lane.shard, this.id, id, text).catch(() => undefined);
  }

  /** Stops claiming and resolves when every delivery has been settled. */
  async drain(): Promise<void> {
    await Promise.all(this.#members.map(({ lane }) => lane.pause()));
    if (this.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Returns the held jobs uncharged and unregisters this worker. Call `drain` first to let jobs end. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
    this.#release();
  }

  /** Like `stop`, but at once, even while jobs run. Takes a second at most. */
  async abandon(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.abandon()));
  }

  async #changeQueues(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.changeQueues()));
  }

  #laneOf(id: string): Lane {
    return this.#members[this.#broker.shardOf(id)]!.lane;
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #deliver(deliveries: Delivery[]): void {
    guard(
      () => this.#options.deliver(deliveries),
      (error) => {
        this.#failed(error);
        const back = { kind: 'back', delayMs: UNDELIVERED_DELAY_MS } as const;
        // Ignored for jobs that were settled before the receiver failed.
        for (const { job } of deliveries) this.settle(job.id, back);
      },
    );
  }

  /** A listener that fails is reported like any other failure. */
  #tell(listener: () => unknown): void {
    guard(listener, (error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    guard(() => this.#options.failed?.(error));
  }

  #lost(ids: string[], why: Loss): void {
    this.#tell(() => this.#options.lost?.(ids, why));
    if (this.size === 0) this.#release();
  }
}
