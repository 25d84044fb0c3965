/**
 * A broker on the way of whose rounds a test stands: it sees them, holds them up, and loses answers of ones that were
 * executed.
 */
import { Broker, QueueError } from '../../../jobs/queue/index.ts';
import type { StepCall, StepReply } from '../../../jobs/queue/broker/step.ts';
import type { TestQueue } from './scripts.ts';

export class LossyBroker extends Broker {
  /** Numbers of rounds whose next answer is lost. */
  readonly loses = new Set<number>();
  /** Every round sent, repeats included. */
  readonly sent: StepCall[] = [];
  /** Most rounds that were on their way at a time. */
  most = 0;
  /** Rounds on their way. */
  onTheirWay = 0;
  /** Rounds wait for this before they are sent. */
  gate: Promise<void> | undefined;
  /** How many calls of `resync` are refused before they are sent. */
  refusedResyncs = 0;
  /** Calls of `resync` made while a round was on its way, or had been executed without an answer. */
  earlyResyncs = 0;
  readonly #owed = new Set<number>();

  override async step(shard: number, call: StepCall): Promise<StepReply> {
    this.sent.push(call);
    this.most = Math.max(this.most, ++this.onTheirWay);
    try {
      await this.gate;
      const reply = await super.step(shard, call);
      if (this.loses.delete(call.seq)) {
        this.#owed.add(call.seq);
        throw new QueueError('REDIS_UNAVAILABLE');
      }
      this.#owed.delete(call.seq);
      return reply;
    } finally {
      this.onTheirWay--;
    }
  }

  override async resync(shard: number, worker: string): Promise<string[]> {
    if (this.onTheirWay > 0 || this.#owed.size > 0) this.earlyResyncs++;
    if (this.refusedResyncs-- > 0) throw new QueueError('REDIS_UNAVAILABLE');
    return super.resync(shard, worker);
  }
}

/** Closed with the test, like the others of this queue. @param url default: that of the queue. */
export function lossyBroker(queue: TestQueue, url?: string): LossyBroker {
  const { options } = queue.broker;
  const broker = new LossyBroker({ ...options, url: url ?? options.url });
  queue.atEnd(async () => broker.close());
  return broker;
}
