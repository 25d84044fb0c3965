/**
 * One worker on one shard: its lane and inbox, the heartbeat that keeps its leases, and the recovery of jobs whose worker
 * died there. Each shard by itself: one that is unavailable costs nothing on the others.
 */
import { Loop, type Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { QueueError } from '../broker/errors.ts';
import { Inbox, type InboxEvents } from './inbox.ts';
import { Lane, type LaneEvents, type LaneOptions } from './lane.ts';
import { Pulse } from './pulse.ts';
import { createRepair } from './repair.ts';

/** Pause before a heartbeat that failed is tried again, in milliseconds. */
const RETRY_MS = 500;
/** Longest wait for Redis in each of the two calls with which a worker abandons its jobs, in milliseconds. */
const ABANDON_MS = 400;

export interface MemberOptions extends LaneOptions {
  leaseMs: number;
}

export interface MemberEvents extends LaneEvents, Pick<InboxEvents, 'commanded'> {
  reaped(worker: string, jobs: number): void;
  repaired(ids: string[]): void;
}

export class Member implements Service {
  readonly name = 'member';
  readonly lane: Lane;
  readonly #broker: Broker;
  readonly #options: MemberOptions;
  readonly #events: MemberEvents;
  readonly #inbox: Inbox;
  readonly #pulse: Pulse;
  readonly #heartbeat: Loop;
  readonly #reaper: Loop;
  readonly #repair: Loop;
  /** Redis has yet to hear which queues are served now. */
  #hasNews = true;
  #renewal: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(shard: number, broker: Broker, options: MemberOptions, events: MemberEvents) {
    this.#broker = broker;
    this.#options = options;
    this.#events = events;
    this.#pulse = new Pulse(options.leaseMs);
    const onError = (error: unknown): void => this.#failed(error);
    this.lane = new Lane(shard, broker, options, { ...events, failed: onError });
    const { commanded } = events;
    this.#inbox = new Inbox(broker, this.lane, options.worker, { commanded, failed: onError });
    this.#heartbeat = new Loop({
      name: 'heartbeat',
      tick: () => this.#beat(),
      onError,
      maxErrorDelayMs: Math.min(RETRY_MS, options.leaseMs / 3),
    });
    this.#reaper = new Loop({ name: 'reaper', tick: () => this.#reap(), onError });
    this.#repair = createRepair(shard, broker, {
      repaired: (ids) => events.repaired(ids),
      failed: (error) => events.failed(error),
    });
  }

  /** Time since Redis answered when it should have, in milliseconds: a few seconds at most while all is well. */
  get silentMs(): number {
    return Math.max(this.#inbox.silentMs, this.#heartbeat.silentMs - this.#options.leaseMs / 3);
  }

  /** @throws {QueueError} */
  async start(): Promise<void> {
    await this.#renew();
    await this.#inbox.start();
    this.lane.round();
    await this.#heartbeat.start();
    await this.#reaper.start();
    await this.#repair.start();
  }

  /**
   * Tells Redis that the queues served have changed, and looks for jobs in them. If it cannot be told now, the next
   * heartbeat does.
   * @throws {QueueError}
   */
  async changeQueues(): Promise<void> {
    this.#hasNews = true;
    if (this.#stopped) return;
    await this.#beat();
  }

  /** Gives back whatever is still held, uncharged, and leaves the shard. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.lane.hurry();
    await this.#repair.stop();
    await this.#reaper.stop();
    await this.#heartbeat.stop();
    await this.#inbox.stop();
    await this.lane.pause();
    this.lane.stop();
    await this.#broker
      .leave(this.lane.shard, this.#options.worker)
      .catch((error: unknown) => this.#events.failed(error));
  }

  /**
   * Gives back everything held, uncharged, and leaves the shard, whatever is still under way. Resolves within a second,
   * even if Redis does not answer: then the jobs go to others when the lease is over.
   */
  async abandon(): Promise<void> {
    this.#stopped = true;
    // What has ended is told, if that can be done at once; nobody is to run it again.
    await within(ABANDON_MS, this.lane.pause());
    this.lane.stop();
    await within(ABANDON_MS, this.#broker.leave(this.lane.shard, this.#options.worker));
    this.lane.forget();
  }

  async #beat(): Promise<number> {
    await this.#renew();
    // Also sends what could not be sent while Redis was unavailable.
    this.lane.round();
    return this.#options.leaseMs / 3;
  }

  /** One after the other: one that is sent again must not undo what a later one said. */
  #renew(): Promise<void> {
    const renewal = this.#renewal.then(() => this.#renewNow());
    this.#renewal = renewal.catch(() => undefined);
    return renewal;
  }

  async #renewNow(): Promise<void> {
    const { worker, leaseMs, queues } = this.#options;
    const { shard, alarm } = this.lane;
    const hasNews = this.#hasNews;
    this.#hasNews = false;
    try {
      const news = hasNews ? queues : undefined;
      const { nowMs, nextDueMs } = await this.#broker.renew(shard, worker, leaseMs, news);
      alarm.tellTime(nowMs);
      alarm.wakeAt(nextDueMs);
      this.#pulse.beat(performance.now());
    } catch (error) {
      this.#hasNews ||= hasNews;
      throw error;
    }
  }

  /**
   * After a pause of Redis all heartbeats look old. So a process reaps only after a whole lease of its own good ones, and
   * a call that lay in a paused Redis for half a lease does nothing: until then everybody's heartbeat was still good.
   */
  async #reap(): Promise<number> {
    const { leaseMs } = this.#options;
    const healthyMs = this.#pulse.healthyMs(performance.now());
    if (healthyMs < leaseMs) return Math.min(leaseMs - healthyMs, leaseMs / 4);
    const { shard, alarm } = this.lane;
    for (const { worker, jobs } of await this.#broker.reap(shard, 500, alarm.nowMs + leaseMs / 2)) {
      this.#events.reaped(worker, jobs);
    }
    return leaseMs / 4;
  }

  /** A worker that was reaped loses what it held here, and begins anew. */
  #failed(error: unknown): void {
    this.#pulse.miss();
    if (!(error instanceof QueueError) || error.code !== 'WORKER_UNKNOWN') {
      this.#events.failed(error);
      return;
    }
    this.lane.forget();
    if (this.#stopped) return;
    this.#rejoin().catch((cause: unknown) => this.#events.failed(cause));
  }

  /** After a FLUSHALL nothing is known of the queue either. */
  async #rejoin(): Promise<void> {
    await this.#broker.describe(this.lane.shard);
    this.#hasNews = true;
    await this.#renew();
    this.lane.round();
  }
}

/** Waits for an end, good or bad, but no longer than that. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
