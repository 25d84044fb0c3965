/** One worker's part of one shard: the jobs it holds, the settlements it has yet to send, and when delayed jobs are due. */
import { Alarm } from './alarm.ts';
import type { Broker } from '../broker/broker.ts';
import type { Capacity } from './capacity.ts';
import { QueueError } from '../broker/errors.ts';
import type { Leased, StepCall, StepReply } from '../broker/step.ts';
import { decodeJob, type Job } from '../broker/record.ts';
import { decodeCounts, type Counts } from '../broker/counts.ts';
import { Rounds } from './rounds.ts';
import { MAX_BATCH, Settlements, type Settlement } from './settlements.ts';

/** Settlements, or free slots while more jobs wait, that justify a second round in flight. */
const PRESSING = 64;
/** How long a round is retried while Redis is unavailable, normally and once the worker stops. */
const PATIENCE_MS = 10_000;
const HURRIED_MS = 1000;

export interface Delivery {
  job: Job;
  counts: Counts;
}

/** After `lease lost` another worker may run the job; after `revoked` no worker may. */
export type Loss = 'lease lost' | 'revoked';

export interface LaneEvents {
  deliver(deliveries: Delivery[]): void;
  /** Redis refuses the results of these jobs from now on. */
  lost(ids: string[], why: Loss): void;
  failed(error: unknown): void;
}

export interface LaneOptions {
  worker: string;
  /** May change while the lane runs. */
  queues: readonly string[];
  /** Shared by all lanes of the worker. */
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
  /** Slots that scripts may still fill by handing jobs over, according to the last reply. */
  #offered = 0;
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

  /** Whether the leases in Redis may differ from the held jobs; `resync` reconciles the two. */
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

  /** Ends a delivery; the next round sends it. Unknown ids are ignored, as their lease was lost and reported. */
  settle(id: string, settlement: Settlement): void {
    const job = this.#held.get(id);
    if (job === undefined) return;
    this.#settlements.add(job, settlement);
    this.#held.delete(id);
    this.round();
    this.#options.capacity.freed();
  }

  /** Takes jobs from the inbox, which are leased already. */
  receive(leased: readonly Leased[]): void {
    this.#offered -= leased.length;
    this.#deliver(leased);
    // A round offers at most one batch of slots. Once they are filled, further jobs stay in line until the next round.
    if (this.#offered <= 0 && this.#wanted() > 0) this.round();
  }

  /** Requests a round; requests in the same turn share it. */
  round(): void {
    this.#rounds.want();
  }

  /** After a lost message or answer: delivers leased jobs that the lane does not know. @returns false if it must be repeated. */
  async resync(): Promise<boolean> {
    this.#isInDoubt = false;
    const isDone = await this.#rounds.alone(async () => {
      const { worker } = this.#options;
      const ids = await this.#broker.resync(this.shard, worker);
      const leased = new Set(ids);
      // A held job without a lease was revoked, and the message about it was lost.
      this.drop(
        [...this.#held.keys()].filter((id) => !leased.has(id)),
        'revoked',
      );
      const unknown = ids.filter((id) => !this.#held.has(id) && !this.#settlements.has(id));
      this.#deliver(await this.#broker.leased(this.shard, worker, unknown));
    });
    if (!isDone) this.doubt();
    // The script emptied the inbox, so requests to claim and due times may be lost.
    this.round();
    return isDone;
  }

  drop(ids: readonly string[], why: Loss): void {
    const held = ids.filter((id) => this.#held.delete(id));
    if (held.length === 0) return;
    this.#events.lost(held, why);
    this.round();
    this.#options.capacity.freed();
  }

  /** Drops every job, after the worker was reaped. */
  forget(): void {
    this.#rounds.forget();
    this.#settlements.clear();
    this.drop([...this.#held.keys()], 'lease lost');
  }

  /** Shortens all retries from now on. */
  hurry(): void {
    this.#patienceMs = HURRIED_MS;
  }

  /** Stops claiming and resolves when all settlements so far have been sent. Held jobs continue. */
  async pause(): Promise<void> {
    this.#claiming = false;
    this.hurry();
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

  /** Free slots in this lane's share. */
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

  /** A reaped worker has no leases left to settle. */
  #failed(error: unknown): void {
    if (error instanceof QueueError && error.code === 'WORKER_UNKNOWN') this.#settlements.clear();
    this.#events.failed(error);
  }

  /** Returns jobs that were on their way when the worker cancelled their queue. */
  #deliver(leased: readonly Leased[]): void {
    const { queues } = this.#options;
    const deliveries: Delivery[] = [];
    for (const entry of leased) {
      const { id, record, counts } = entry;
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
        this.#settlements.addUnreadable(entry);
        this.round();
      }
    }
    if (deliveries.length > 0) this.#events.deliver(deliveries);
  }
}
