/**
 * Takes jobs for one worker process: registers it, keeps its leases alive, claims, receives what is handed over, and
 * recovers the jobs of workers that died. What a job does is the business of whoever gets the deliveries.
 */
import { randomUUID } from 'node:crypto';
import { Loop, type Service } from '../../service.ts';
import type { Broker } from './broker.ts';
import { QueueError } from './errors.ts';
import { Inbox } from './inbox.ts';
import { Lane, type Delivery } from './lane.ts';
import type { Counts } from './record.ts';
import type { Outcome } from './settlements.ts';

export interface ConsumerOptions {
  /** Queues to serve, in turn. */
  queues: readonly string[];
  /** Most jobs to hold at a time, over all shards. */
  limit: number;
  /** How long this process may be silent before its jobs go to others, in milliseconds. Default 15,000. */
  leaseMs?: number;
  /** Called with jobs to run; every one must be settled. */
  deliver(deliveries: Delivery[]): void;
  /** Jobs whose lease was lost: others may run them, so they should be stopped. */
  lost?(ids: string[]): void;
  /** Told of jobs recovered from another worker. */
  reaped?(worker: string, jobs: number): void;
  /** Told of failed rounds; the consumer goes on by itself. */
  failed?(error: unknown): void;
}

/** Pause before a heartbeat that failed is tried again, in milliseconds. */
const RETRY_MS = 500;

export class Consumer implements Service {
  readonly name = 'consumer';
  /** Random for each process: never a host name, which two processes may share. */
  readonly id = randomUUID();
  readonly #broker: Broker;
  readonly #options: ConsumerOptions;
  readonly #leaseMs: number;
  readonly #lanes: Lane[];
  readonly #inboxes: Inbox[];
  readonly #heartbeat: Loop;
  readonly #reaper: Loop;
  /** Since when heartbeats have been answered without a gap; `performance.now()` milliseconds. */
  #healthySince: number | undefined;
  #lastBeatMs = -Infinity;
  #waiting: (() => void)[] = [];
  #stopped = false;

  constructor(broker: Broker, options: ConsumerOptions) {
    this.#broker = broker;
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 15_000;
    const shards = Array.from({ length: broker.shards }, (_, shard) => shard);
    const limit = Math.max(1, Math.floor(options.limit / broker.shards));
    this.#lanes = shards.map((shard) => {
      const lane: Lane = new Lane(
        shard,
        broker,
        { worker: this.id, queues: options.queues, limit },
        {
          deliver: options.deliver,
          lost: (ids) => this.#lost(ids),
          failed: (error) => this.#failed(error, lane),
        },
      );
      return lane;
    });
    this.#inboxes = this.#lanes.map(
      (lane) => new Inbox(broker, lane, this.id, (error) => this.#failed(error, lane)),
    );
    const onError = (error: unknown): void => this.#failed(error);
    this.#heartbeat = new Loop({ name: 'heartbeat', tick: () => this.#beat(), onError });
    this.#reaper = new Loop({ name: 'reaper', tick: () => this.#reap(), onError });
  }

  /** Jobs held now. */
  get size(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.size, 0);
  }

  /** Changes how many jobs may be held over all shards; takes effect with the next round. */
  set limit(limit: number) {
    for (const lane of this.#lanes) {
      lane.limit = Math.max(1, Math.floor(limit / this.#broker.shards));
    }
  }

  async start(): Promise<void> {
    for (const lane of this.#lanes) await this.#renew(lane, this.#options.queues);
    this.#noteBeat();
    for (const inbox of this.#inboxes) await inbox.start();
    for (const lane of this.#lanes) lane.round();
    await this.#heartbeat.start();
    await this.#reaper.start();
  }

  settle(id: string, outcome: Outcome): void {
    this.#lanes[this.#broker.shardOf(id)]!.settle(id, outcome);
    if (this.#waiting.length > 0 && this.size === 0) this.#release();
  }

  /** Notes in Redis that a job is about to run alone. @returns false when it must not: the lease is lost. */
  async mark(id: string, counts: Counts): Promise<boolean> {
    return this.#broker.mark(this.#broker.shardOf(id), this.id, id, counts);
  }

  /** Keeps what a held job reports, JSON text, until it ends. Best effort: a reader may miss it, nothing else depends on it. */
  progress(id: string, text: string): void {
    const shard = this.#broker.shardOf(id);
    if (!this.#lanes[shard]!.holds(id)) return;
    this.#broker.progress(shard, this.id, id, text).catch(() => undefined);
  }

  /** Claims nothing more and resolves when every delivery has been settled. */
  async drain(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.pause()));
    if (this.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives back whatever is still held, uncharged, and forgets this worker. Call `drain` first to let jobs end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#reaper.stop();
    await this.#heartbeat.stop();
    await Promise.all(this.#inboxes.map((inbox) => inbox.stop()));
    await Promise.all(this.#lanes.map((lane) => this.#leave(lane)));
    this.#release();
  }

  async #leave(lane: Lane): Promise<void> {
    await lane.pause();
    lane.stop();
    await this.#broker
      .leave(lane.shard, this.id)
      .catch((error: unknown) => this.#options.failed?.(error));
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Each shard by itself: one that is away must not cost the leases on the others. */
  async #beat(): Promise<number> {
    const beats = await Promise.all(this.#lanes.map((lane) => this.#beatOne(lane)));
    if (beats.includes(false)) return Math.min(RETRY_MS, this.#leaseMs / 3);
    this.#noteBeat();
    return this.#leaseMs / 3;
  }

  async #beatOne(lane: Lane): Promise<boolean> {
    try {
      await this.#renew(lane);
      // Also sends what could not be sent while Redis was away.
      lane.round();
      return true;
    } catch (error) {
      this.#failed(error, lane);
      return false;
    }
  }

  /** A gap of a whole lease may be our own, asleep or frozen: then others had no chance to be heard either. */
  #noteBeat(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastBeatMs > this.#leaseMs) this.#healthySince = undefined;
    this.#lastBeatMs = nowMs;
    this.#healthySince ??= nowMs;
  }

  async #renew(lane: Lane, queues: readonly string[] = []): Promise<void> {
    const { shard } = lane;
    const { nowMs, nextDueMs } = await this.#broker.renew(shard, this.id, this.#leaseMs, queues);
    lane.tellTime(nowMs);
    lane.wakeAt(nextDueMs);
  }

  /** After a pause of Redis all heartbeats look old, so a process reaps only after a whole lease of its own good ones. */
  async #reap(): Promise<number> {
    const nowMs = performance.now();
    if (nowMs - this.#lastBeatMs > this.#leaseMs) this.#healthySince = undefined;
    const healthyMs = nowMs - (this.#healthySince ?? Infinity);
    if (healthyMs < this.#leaseMs)
      return Math.min(this.#leaseMs - Math.max(0, healthyMs), this.#leaseMs / 4);
    for (const lane of this.#lanes) {
      for (const { worker, jobs } of await this.#broker.reap(lane.shard))
        this.#options.reaped?.(worker, jobs);
    }
    return this.#leaseMs / 4;
  }

  #lost(ids: string[]): void {
    this.#options.lost?.(ids);
    if (this.size === 0) this.#release();
  }

  /** A worker that was reaped on a shard loses what it held there, and begins anew. */
  #failed(error: unknown, lane?: Lane): void {
    this.#healthySince = undefined;
    if (lane === undefined || !(error instanceof QueueError) || error.code !== 'WORKER_UNKNOWN') {
      this.#options.failed?.(error);
      return;
    }
    lane.forget();
    if (this.#stopped) return;
    void this.#rejoin(lane).catch((cause: unknown) => this.#options.failed?.(cause));
  }

  /** After a FLUSHALL nothing is known of the queue either. */
  async #rejoin(lane: Lane): Promise<void> {
    await this.#broker.describe(lane.shard);
    await this.#renew(lane, this.#options.queues);
    lane.round();
  }
}
