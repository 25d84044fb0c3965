/**
 * One shard as one worker sees it: what it holds there, what it has yet to settle, and when delayed jobs come due.
 */
import { Alarm } from './alarm.ts';
import type { Broker } from '../broker/broker.ts';
import type { Capacity } from './capacity.ts';
import { QueueError } from '../broker/errors.ts';
import type { Leased, StepCall, StepReply } from '../broker/step.ts';
import { decodeCounts, decodeJob, type Counts, type Job } from '../broker/record.ts';
import { Rounds } from './rounds.ts';
import { MAX_BATCH, Settlements, type Settlement } from './settlements.ts';

/** Settlements, or free slots while more jobs wait, that are worth a round beside another. */
const PRESSING = 64;
/** How long a round is sent again while Redis is unavailable, and how long once the worker stops; in milliseconds. */
const PATIENCE_MS = 10_000;
const HURRIED_MS = 1000;

export interface Delivery {
  job: Job;
  counts: Counts;
}

/** Others may be running the job by now, or nobody is to. */
export type Loss = 'lease lost' | 'revoked';

export interface LaneEvents {
  deliver(deliveries: Delivery[]): void;
  /** What this worker still does for these jobs counts for nothing. */
  lost(ids: string[], why: Loss): void;
  failed(error: unknown): void;
}

export interface LaneOptions {
  worker: string;
  /** May change while the lane takes jobs. */
  queues: readonly string[];
  /** What all lanes of the worker share. */
  capacity: Capacity;
}

export class Lane {
  readonly shard: number;
  readonly alarm = new Alarm(() => this.round());
  readonly #broker: Broker;
  readonly #options: LaneOptions;
  readonly #events: LaneEvents;
  readonly #held = new Map<string, Job>();
  readonly #settlements = new Settlements();
  readonly #rounds: Rounds;
  #claiming = true;
  #patienceMs = PATIENCE_MS;
  /** Slots others may still fill by handing jobs over, as far as the last answer tells. */
  #offered = 0;
  /** The last answer said that more jobs may be waiting. */
  #more = true;
  #isInDoubt = false;

  constructor(shard: number, broker: Broker, options: LaneOptions, events: LaneEvents) {
    this.shard = shard;
    this.#broker = broker;
    this.#options = options;
    this.#events = events;
    options.capacity.join(this);
    this.#rounds = new Rounds({
      send: (call, isWanted) => broker.step(shard, call, () => (isWanted() ? this.#patienceMs : 0)),
      compose: (seq) => this.#compose(seq),
      isPressed: () => this.#isPressed(),
      answered: (call, reply) => this.#answered(call, reply),
      failed: (error) => this.#failed(error),
      abandoned: (call) => {
        this.#settlements.confirm(call);
        this.doubt();
      },
    });
  }

  /** Whether what is leased here may not be what is held here: `resync` finds out. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  doubt(): void {
    this.#isInDoubt = true;
  }

  get size(): number {
    return this.#held.size;
  }

  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** Ends a delivery; sent with the next round. Unknown ids are ignored: their lease was lost and reported. */
  settle(id: string, settlement: Settlement): void {
    const job = this.#held.get(id);
    if (job === undefined) return;
    this.#settlements.add(job, settlement);
    this.#held.delete(id);
    this.round();
    this.#options.capacity.freed();
  }

  /** Jobs that an enqueuer put into the inbox: leased already. */
  receive(leased: readonly Leased[]): void {
    this.#offered -= leased.length;
    this.#deliver(leased);
    // A round offers no more than a batch: once that is taken, further jobs wait in line for us to look.
    if (this.#offered <= 0 && this.#wanted() > 0) this.round();
  }

  /** Asks for a round; many requests in one turn are one round. */
  round(): void {
    this.#rounds.want();
  }

  /**
   * After a broken inbox connection, or a round whose answer is gone: delivers what this worker leases and does not know of.
   * @returns false when it has to be done again.
   */
  async resync(): Promise<boolean> {
    this.#isInDoubt = false;
    const isDone = await this.#rounds.alone(async () => {
      const { worker } = this.#options;
      const ids = await this.#broker.resync(this.shard, worker);
      const leased = new Set(ids);
      // What is held without a lease was revoked, and the message that said so is lost.
      this.drop(
        [...this.#held.keys()].filter((id) => !leased.has(id)),
        'revoked',
      );
      const unknown = ids.filter((id) => !this.#held.has(id) && !this.#settlements.has(id));
      this.#deliver(await this.#broker.leased(this.shard, worker, unknown));
    });
    if (!isDone) this.doubt();
    // What had been offered is taken back with the inbox.
    this.round();
    return isDone;
  }

  /** These are no longer leased here. */
  drop(ids: readonly string[], why: Loss): void {
    const held = ids.filter((id) => this.#held.delete(id));
    if (held.length === 0) return;
    this.#events.lost(held, why);
    this.round();
    this.#options.capacity.freed();
  }

  /** The worker was reaped: everything held is lost. */
  forget(): void {
    this.#rounds.forget();
    this.#settlements.clear();
    this.drop([...this.#held.keys()], 'lease lost');
  }

  /** From here on nobody waits long for a Redis that is unavailable. */
  hurry(): void {
    this.#patienceMs = HURRIED_MS;
  }

  /** Claims nothing more; what is held goes on. */
  async pause(): Promise<void> {
    this.#claiming = false;
    this.hurry();
    await this.flush();
  }

  /** Resolves when everything settled so far has been sent. */
  async flush(): Promise<void> {
    await this.#rounds.flush();
  }

  stop(): void {
    this.alarm.stop();
  }

  #compose(seq: number): StepCall {
    const { worker, queues, capacity } = this.#options;
    const settled = this.#settlements.take();
    const known = this.#held.size + this.#settlements.waiting + this.#rounds.asked;
    const free = Math.min(capacity.grant(this, this.#wanted()), MAX_BATCH);
    return { worker, seq, free, known, queues, ...settled };
  }

  /** Jobs there is room for in this lane's share. */
  #wanted(): number {
    if (!this.#claiming) return 0;
    return Math.max(0, this.#options.capacity.share - this.#held.size - this.#rounds.asked);
  }

  #isPressed(): boolean {
    return this.#settlements.waiting >= PRESSING || (this.#more && this.#wanted() >= PRESSING);
  }

  #answered(call: StepCall, reply: StepReply): void {
    this.#settlements.confirm(call);
    if (reply.lost.length > 0) this.#events.lost(reply.lost, 'lease lost');
    this.alarm.tellTime(reply.nowMs);
    this.alarm.wakeAt(reply.nextDueMs);
    this.#more = reply.more;
    this.#offered = reply.more ? 0 : call.free - reply.claimed.length;
    this.#deliver(reply.claimed);
    if (this.#settlements.waiting > 0 || (reply.more && this.#wanted() > 0)) this.round();
  }

  /** Once reaped, nothing is ours to settle. */
  #failed(error: unknown): void {
    if (error instanceof QueueError && error.code === 'WORKER_UNKNOWN') this.#settlements.clear();
    this.#events.failed(error);
  }

  /** What was on its way when its queue was cancelled goes back to it. */
  #deliver(leased: readonly Leased[]): void {
    const { queues } = this.#options;
    const deliveries: Delivery[] = [];
    for (const { id, record, counts } of leased) {
      if (this.#held.has(id)) continue;
      try {
        const job = decodeJob(id, record);
        if (queues.includes(job.queue)) {
          this.#held.set(id, job);
          deliveries.push({ job, counts: decodeCounts(counts) });
        } else {
          this.#settlements.add(job, { kind: 'back', delayMs: 0 });
          this.round();
        }
      } catch {
        this.#settlements.addCorrupt(id);
        this.round();
      }
    }
    if (deliveries.length > 0) this.#events.deliver(deliveries);
  }
}
