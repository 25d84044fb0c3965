/** Takes jobs from every shard for one worker process. The receiver of the deliveries runs them. */
import { randomUUID } from 'node:crypto';
import type { Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { Capacity } from './capacity.ts';
import { Commands } from './commands.ts';
import { assertQueueName } from '../broker/keys.ts';
import type { Delivery, Lane, Loss } from './lane.ts';
import { Member } from './member.ts';
import type { Counts } from '../broker/record.ts';
import type { Settlement } from './settlements.ts';

export interface ConsumerOptions {
  /** Queues to serve, in turn. */
  queues: readonly string[];
  /** Most jobs to hold at a time, over all shards. */
  limit: number;
  /** Time without a heartbeat after which other workers take over the jobs. Default 15,000. */
  leaseMs?: number;
  /** Receives jobs to run; the receiver must settle every one. */
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

  constructor(broker: Broker, options: ConsumerOptions) {
    this.#broker = broker;
    this.#options = options;
    const { leaseMs = 15_000 } = options;
    const queues = (this.#queues = [...options.queues]);
    const commands = new Commands(broker, this.id, options);
    this.#capacity = new Capacity(options.limit);
    this.#members = Array.from(
      { length: broker.shards },
      (_, shard) =>
        new Member(
          shard,
          broker,
          { worker: this.id, queues, capacity: this.#capacity, leaseMs },
          {
            deliver: options.deliver,
            lost: (ids, why) => this.#lost(ids, why),
            commanded: (command) => commands.hear(command),
            reaped: (worker, jobs) => options.reaped?.(worker, jobs),
            repaired: (ids) => options.repaired?.(ids),
            failed: (error) => options.failed?.(error),
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

  /** Takes effect with the next round. */
  set limit(limit: number) {
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

  #lost(ids: string[], why: Loss): void {
    this.#options.lost?.(ids, why);
    if (this.size === 0) this.#release();
  }
}
