/**
 * One worker on one shard: its lane and inbox, its heartbeat, and the reaper of dead workers. Each shard has its own, so that an
 * unavailable shard does not affect the others.
 */
import { Loop, type Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import { QueueError } from '../broker/errors.ts';
import { Inbox, type InboxEvents } from './inbox.ts';
import { Lane, type LaneEvents, type LaneOptions } from './lane.ts';
import { HeartbeatHealth } from './heartbeat-health.ts';
import { createRepair } from './repair.ts';

/** Longest pause after a failed heartbeat. */
const RETRY_MS = 500;
/** Longest wait for each of the two calls of `abandon`. */
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
  readonly #health: HeartbeatHealth;
  readonly #heartbeat: Loop;
  readonly #reaper: Loop;
  readonly #repair: Loop;
  /** The queues served now are not registered in Redis yet. */
  #hasNews = true;
  #renewal: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(shard: number, broker: Broker, options: MemberOptions, events: MemberEvents) {
    this.#broker = broker;
    this.#options = options;
    this.#events = events;
    this.#health = new HeartbeatHealth(options.leaseMs);
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
    this.#repair = createRepair(shard, broker, events);
  }

  /** How long Redis has been silent or a heartbeat overdue; a few seconds at most in normal operation. */
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

  /** Registers the changed queues and looks for jobs in them. @throws {QueueError}; the next heartbeat tries again */
  async changeQueues(): Promise<void> {
    this.#hasNews = true;
    if (this.#stopped) return;
    await this.#beat();
  }

  /** Returns the held jobs uncharged and leaves the shard. */
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

  /** Like `stop`, but within a second. If Redis does not answer, other workers take over the jobs when the lease expires. */
  async abandon(): Promise<void> {
    this.#stopped = true;
    // Sends pending settlements, if Redis answers at once, so that no worker runs those jobs again.
    await within(ABANDON_MS, this.lane.pause());
    this.lane.stop();
    await within(ABANDON_MS, this.#broker.leave(this.lane.shard, this.#options.worker));
    this.lane.forget();
  }

  async #beat(): Promise<number> {
    await this.#renew();
    // The round also sends settlements that failed while Redis was unavailable.
    this.lane.round();
    return this.#options.leaseMs / 3;
  }

  /** Renewals run one after another: a retry of an earlier one must not undo a later one. */
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
      this.#health.beat(performance.now());
    } catch (error) {
      this.#hasNews ||= hasNews;
      throw error;
    }
  }

  /**
   * After a pause of Redis every heartbeat looks overdue. So a worker reaps only after a full lease of its own answered
   * heartbeats, and a call that a paused Redis holds for half a lease does nothing: until then live workers' leases were valid.
   */
  async #reap(): Promise<number> {
    const { leaseMs } = this.#options;
    const healthyMs = this.#health.healthyMs(performance.now());
    if (healthyMs < leaseMs) return Math.min(leaseMs - healthyMs, leaseMs / 4);
    const { shard, alarm } = this.lane;
    for (const { worker, jobs } of await this.#broker.reap(shard, 500, alarm.nowMs + leaseMs / 2)) {
      this.#events.reaped(worker, jobs);
    }
    return leaseMs / 4;
  }

  /** A reaped worker drops its jobs on this shard and registers again. */
  #failed(error: unknown): void {
    this.#health.miss();
    if (!(error instanceof QueueError) || error.code !== 'WORKER_UNKNOWN') {
      this.#events.failed(error);
      return;
    }
    this.lane.forget();
    if (this.#stopped) return;
    this.#rejoin().catch((cause: unknown) => this.#events.failed(cause));
  }

  /** Describes the queue too, as a FLUSHALL may have deleted its shard count and limits. */
  async #rejoin(): Promise<void> {
    await this.#broker.describe(this.lane.shard);
    this.#hasNews = true;
    await this.#renew();
    this.lane.round();
  }
}

/** Waits until the work succeeds or fails, at most `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
