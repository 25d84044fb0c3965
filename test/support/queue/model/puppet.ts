/**
 * A worker without a process, on one shard: it knows what it was told and no more, as a lane does.
 */
import assert from 'node:assert/strict';
import { QueueError, type Broker } from '../../../../jobs/queue/index.ts';
import { decodeJob, encodeResult } from '../../../../jobs/queue/broker/record.ts';
import type { Leased, StepCall, StepReply } from '../../../../jobs/queue/broker/step.ts';
import { short, uuid } from '../scripts.ts';

/** How a job may end. */
export type Ending = 'succeeded' | 'back' | 'charged' | 'later' | 'failed';

/** How long `later` is, in milliseconds. */
export const LATER_MS = 120_000;

export class Puppet {
  readonly worker: string;
  readonly shard: number;
  readonly queues: readonly string[];
  /** Most jobs it holds. */
  readonly limit: number;
  /** Id to record of what it believes to hold. */
  readonly known = new Map<string, string>();
  /** It was told to look for jobs, and has not yet. */
  mustLook = false;
  /** The last round that was answered, while it is remembered. */
  last: { call: StepCall; reply: StepReply } | undefined;
  readonly #broker: Broker;
  #seq: number;

  constructor(
    broker: Broker,
    shard: number,
    name: string,
    queues: readonly string[],
    { limit = 3, seq = 0 } = {},
  ) {
    this.#broker = broker;
    this.worker = uuid(name);
    this.shard = shard;
    this.queues = queues;
    this.limit = limit;
    this.#seq = seq;
  }

  async register(leaseMs: number): Promise<void> {
    this.forget();
    await this.#broker.renew(this.shard, this.worker, leaseMs, this.queues);
  }

  /** Settles and claims. @returns what was said and answered; no answer when the worker is unknown. */
  async round(
    endings: readonly (readonly [id: string, ending: Ending])[],
    most = Infinity,
  ): Promise<{ call: StepCall; reply: StepReply | undefined }> {
    const ids = (...which: Ending[]) =>
      endings.filter(([, ending]) => which.includes(ending)).map(([id]) => id);
    const ended = new Set(endings.map(([id]) => id));
    const kept = [...this.known.keys()].filter((id) => !ended.has(id)).length;
    const call: StepCall = {
      worker: this.worker,
      seq: ++this.#seq,
      free: Math.min(most, Math.max(0, this.limit - kept)),
      known: kept,
      queues: this.queues,
      succeeded: ids('succeeded').flatMap((id) => [id, this.#result(id)]),
      back: endings.flatMap(([id, ending]) => {
        if (ending !== 'back' && ending !== 'charged' && ending !== 'later') return [];
        return [id, ending === 'later' ? LATER_MS : 0, ending === 'charged' ? '1:0:' : ''];
      }),
      failed: ids('failed').flatMap((id) => [id, '{"code":"BROKEN"}']),
    };
    try {
      const reply = await this.#broker.step(this.shard, call);
      for (const id of ended) this.known.delete(id);
      this.#learn(reply.claimed);
      this.mustLook = false;
      this.last = { call, reply };
      return { call, reply };
    } catch (error) {
      if (!(error instanceof QueueError) || error.code !== 'WORKER_UNKNOWN') throw error;
      this.forget();
      return { call, reply: undefined };
    }
  }

  /** Sends the last round again. */
  async repeat(): Promise<StepReply> {
    return this.#broker.step(this.shard, this.last!.call);
  }

  /** Reads its inbox. */
  async receive(): Promise<void> {
    const key = this.#broker.key(this.shard, `inbox:${this.worker}`);
    const messages = (await this.#broker.redis.lpop(key, 1_000_000)) ?? [];
    for (const message of messages) {
      const newline = message.indexOf('\n');
      const [id, counts] = [message.slice(1, 37), message.slice(37, newline)];
      if (message.startsWith('j'))
        this.#learn([{ id, counts, record: message.slice(newline + 1) }]);
      else if (message.startsWith('r')) this.known.delete(id);
      else if (message === 'c') this.mustLook = true;
      else assert.match(message, /^t\d+$/);
    }
  }

  /** @returns what it leases; undefined when it is unknown. */
  async resync(): Promise<string[] | undefined> {
    try {
      const ids = await this.#broker.resync(this.shard, this.worker);
      this.known.clear();
      this.#learn(await this.#broker.leased(this.shard, this.worker, ids));
      this.mustLook = true;
      return ids;
    } catch (error) {
      if (!(error instanceof QueueError) || error.code !== 'WORKER_UNKNOWN') throw error;
      this.forget();
      return undefined;
    }
  }

  async leave(): Promise<number> {
    this.forget();
    return this.#broker.leave(this.shard, this.worker);
  }

  /** What a worker does that learns it is unknown. */
  forget(): void {
    this.known.clear();
    this.mustLook = false;
    this.last = undefined;
  }

  #learn(leased: readonly Leased[]): void {
    for (const { id, record } of leased) {
      assert.ok(!this.known.has(id), `${short(id)} was given twice to one worker`);
      assert.ok(
        this.queues.includes(decodeJob(id, record).queue),
        `${short(id)} is of another queue`,
      );
      this.known.set(id, record);
    }
  }

  #result(id: string): string {
    const record = this.known.get(id);
    return record === undefined ? 'r1{"d":"00"}\n1' : encodeResult(decodeJob(id, record), '1', 2);
  }
}
