/**
 * What an operator, or the code that asked for a job, does to jobs from outside: stop, give another life, move, hold,
 * forget.
 */
import { randomUUID } from 'node:crypto';
import type { Broker } from '../broker/broker.ts';
import { broadcast, type BroadcastOptions, type WorkerAnswer } from './broadcast.ts';
import { assertJobId, assertQueueName } from '../broker/keys.ts';
import { assertDuration, encodeReason } from '../broker/record.ts';
import type { ScriptName } from '../broker/scripts.ts';

/** Most jobs forgotten in one call of `purge`: some 5 ms of Redis. */
const PURGE_PAGE = 1000;
/** Most ids in one call. */
const MAX_IDS = 500;

export type RevokeWord = 'revoked' | 'ended' | 'unknown';

export class Control {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /**
   * Stops jobs, waiting or running: a waiting one never starts, the worker of a running one is told to abort it, and
   * whatever it still reports is refused.
   * @param message why, for those who look at it later.
   */
  async revoke(ids: readonly string[], message?: string): Promise<RevokeWord[]> {
    const reason = encodeReason({ code: 'REVOKED', message });
    return this.#each(ids, (shard, here) =>
      this.#once<RevokeWord[]>('revoke', shard, [reason, ...here]),
    );
  }

  /** Gives dead letters another life, with nothing charged. Others are left alone. */
  async requeue(ids: readonly string[]): Promise<('requeued' | 'not_failed')[]> {
    return this.#each(ids, (shard, here) =>
      this.#once<('requeued' | 'not_failed')[]>('requeue', shard, here),
    );
  }

  /**
   * Moves the due time of a job that has not come due.
   * @param delayMs from now, 0 or more.
   * @param expiresInMs from now, for a job that has an expiry. Default: when it was to expire anyway.
   */
  async reschedule(
    id: string,
    delayMs: number,
    expiresInMs?: number,
  ): Promise<'rescheduled' | 'not_scheduled'> {
    assertJobId(id);
    assertDuration('A delay', delayMs);
    if (expiresInMs !== undefined) assertDuration('An expiry', expiresInMs);
    const expiry = expiresInMs === undefined ? [] : [expiresInMs];
    return this.#once('reschedule', this.#broker.shardOf(id), [id, delayMs, ...expiry]);
  }

  /** Stops giving out jobs of a queue; adding them and running those already claimed goes on. */
  async pause(queue: string): Promise<void> {
    await this.#setPaused(queue, true);
  }

  async resume(queue: string): Promise<void> {
    await this.#setPaused(queue, false);
  }

  /** Forgets every job that waits in a queue. @returns how many, revoked ones included. */
  async purge(queue: string): Promise<number> {
    assertQueueName(queue);
    return this.#purge(queue);
  }

  /** Forgets every dead letter. @returns how many. */
  async purgeFailed(): Promise<number> {
    return this.#purge('');
  }

  /**
   * Asks workers for something and waits for what they say, at most `timeoutMs`. A worker does it once, however often it
   * hears of it; one that does not answer may do it later, unless it is gone.
   * @param verb what: workers know which they take.
   * @returns for each worker asked: its answer, its error, or that it was silent or is not registered.
   * @throws {QueueError} `COMMAND_INVALID`; `REDIS_UNAVAILABLE`: nobody may have heard it
   */
  async broadcast(verb: string, args: unknown, options: BroadcastOptions): Promise<WorkerAnswer[]> {
    return broadcast(this.#broker, verb, args, options);
  }

  async #setPaused(queue: string, paused: boolean): Promise<void> {
    assertQueueName(queue);
    for (let shard = 0; shard < this.#broker.shards; shard++) {
      await this.#once('pause', shard, [queue, paused ? 1 : 0]);
    }
  }

  async #purge(queue: string): Promise<number> {
    let total = 0;
    for (let shard = 0; shard < this.#broker.shards; shard++) {
      let page: number;
      do {
        page = await this.#once<number>('purge', shard, [queue, PURGE_PAGE]);
        total += page;
      } while (page > 0);
    }
    return total;
  }

  /** Sent again while Redis is unavailable, with effect at most once. */
  #once<T>(name: ScriptName, shard: number, args: readonly (string | number)[]): Promise<T> {
    return this.#broker.run<T>(name, shard, [randomUUID(), ...args]);
  }

  /** As many calls as it takes for each shard concerned; answers in the order of the ids. */
  async #each<T>(
    ids: readonly string[],
    call: (shard: number, here: string[]) => Promise<T[]>,
  ): Promise<T[]> {
    const answers = new Map<string, T>();
    for (const [shard, here] of this.#broker.byShard(ids)) {
      for (let from = 0; from < here.length; from += MAX_IDS) {
        const some = here.slice(from, from + MAX_IDS);
        const words = await call(shard, some);
        some.forEach((id, index) => answers.set(id, words[index]!));
      }
    }
    return ids.map((id) => answers.get(id)!);
  }
}
