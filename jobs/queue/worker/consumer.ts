/**
 * Takes jobs for one worker process, from every shard. What a job does is the business of whoever gets the deliveries.
 */
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
  /** How long this process may be silent before its jobs go to others, in milliseconds. Default 15,000. */
  leaseMs?: number;
  /** Called with jobs to run; every one must be settled. */
  deliver(deliveries: Delivery[]): void;
  /** Jobs that are no longer this worker's, so they should be stopped. */
  lost?(ids: string[], why: Loss): void;
  /**
   * Does what an operator asks of this worker and returns the answer, JSON; an error it throws is told as its message.
   * Default: it takes no commands.
   */
  commanded?(verb: string, args: unknown): Promise<unknown>;
  /** Told of jobs recovered from another worker. */
  reaped?(worker: string, jobs: number): void;
  /** Told of jobs that were in no place in Redis, or in several, and have been put where they belong. */
  repaired?(ids: string[]): void;
  /** Told of failed rounds; the consumer goes on by itself. */
  failed?(error: unknown): void;
}

export class Consumer implements Service {
  readonly name = 'consumer';
  /** Random for each process: never a host name, which two processes may share. */
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

  /** Jobs held now. */
  get size(): number {
    return this.#capacity.size;
  }

  /** The queues served now. */
  get queues(): readonly string[] {
    return this.#queues;
  }

  /** Time since every shard was last heard of, in milliseconds: a few seconds at most while all is well. */
  get silentMs(): number {
    return Math.max(...this.#members.map((member) => member.silentMs));
  }

  /** Serves another queue, from now on. @throws {QueueError} when Redis is unavailable: the next heartbeat tells it. */
  async addQueue(queue: string): Promise<void> {
    assertQueueName(queue);
    if (!this.#queues.includes(queue)) this.#queues.push(queue);
    await this.#changeQueues();
  }

  /**
   * Serves a queue no longer: once this resolves, no job of it is delivered here. What runs goes on.
   * @throws {QueueError} when Redis is unavailable: jobs that are handed over until it hears of it go back.
   */
  async cancelQueue(queue: string): Promise<void> {
    const index = this.#queues.indexOf(queue);
    if (index >= 0) this.#queues.splice(index, 1);
    await this.#changeQueues();
  }

  get limit(): number {
    return this.#capacity.limit;
  }

  /** Changes how many jobs may be held; takes effect with the next round. */
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

  /** Notes in Redis that a job is about to run alone. @returns false when it must not: the lease is lost. */
  async mark(id: string, counts: Counts): Promise<boolean> {
    return this.#broker.mark(this.#broker.shardOf(id), this.id, id, counts);
  }

  /** Keeps what a held job reports, JSON text, until it ends. Best effort: a reader may miss it, nothing else depends on it. */
  progress(id: string, text: string): void {
    const lane = this.#laneOf(id);
    if (!lane.holds(id)) return;
    this.#broker.progress(lane.shard, this.id, id, text).catch(() => undefined);
  }

  /** Claims nothing more and resolves when every delivery has been settled. */
  async drain(): Promise<void> {
    await Promise.all(this.#members.map(({ lane }) => lane.pause()));
    if (this.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives back whatever is still held, uncharged, and forgets this worker. Call `drain` first to let jobs end. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
    this.#release();
  }

  /** Gives back everything held at once, uncharged, and forgets this worker, though jobs still run. Takes a second at most. */
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
