/** Commands of operators and callers: revoke, requeue, reschedule and purge jobs, pause queues, ask workers. */
import { randomUUID } from 'node:crypto';
import type { Broker } from '../broker/broker.ts';
import { Inspector } from './inspector.ts';
import { broadcast, type BroadcastOptions, type WorkerAnswer } from './broadcast.ts';
import { assertJobId, assertQueueName } from '../broker/keys.ts';
import { assertDuration, encodeReason } from '../broker/record.ts';
import type { ScriptName } from '../broker/scripts.ts';

/** Most jobs purged in one call, which takes Redis some 5 ms. */
const PURGE_PAGE = 1000;
const MAX_IDS = 500;

export type RevokeWord = 'revoked' | 'ended' | 'unknown';

export type RemoveWord = 'removed' | 'elsewhere';

export class Control {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** A waiting job never starts; the worker of a running job is told to abort it, and Redis refuses the result. */
  async revoke(ids: readonly string[], message?: string): Promise<RevokeWord[]> {
    const reason = encodeReason({ code: 'REVOKED', message });
    return this.#each(ids, (shard, here) =>
      this.#once<RevokeWord[]>('revoke', shard, [reason, ...here]),
    );
  }

  /** Returns dead letters to their lines with no failures charged. Other jobs stay as they are. */
  async requeue(ids: readonly string[]): Promise<('requeued' | 'not_failed')[]> {
    return this.#each(ids, (shard, here) =>
      this.#once<('requeued' | 'not_failed')[]>('requeue', shard, here),
    );
  }

  /**
   * Changes the due time of a job that is not due yet.
   * @param expiresInMs from now, like `delayMs`, for a job that has an expiry. Default: the expiry stays.
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

  /** Stops workers from claiming jobs of a queue. Producers can still add jobs, and claimed jobs continue. */
  async pause(queue: string): Promise<void> {
    await this.#setPaused(queue, true);
  }

  async resume(queue: string): Promise<void> {
    await this.#setPaused(queue, false);
  }

  /** Deletes every job that waits in a queue. @returns how many, including revoked jobs. */
  async purge(queue: string): Promise<number> {
    assertQueueName(queue);
    return this.#purge(queue);
  }

  /** Deletes dead letters. Other jobs stay as they are. */
  async removeFailed(ids: readonly string[]): Promise<RemoveWord[]> {
    return this.#remove('failed', ids);
  }

  /** Deletes every delayed job of a queue, retries included. @returns how many. */
  async purgeDelayed(queue: string): Promise<number> {
    assertQueueName(queue);
    const inspector = new Inspector(this.#broker);
    let [total, kept] = [0, 0];
    for (;;) {
      const page = await inspector.page({ list: 'delayed' }, { offset: kept, limit: MAX_IDS });
      if (page.length === 0) return total;
      const ids = page.flatMap(({ id, about }) => (about?.queue === queue ? [id] : []));
      const words = await this.#remove('delayed', ids);
      const removed = words.filter((word) => word === 'removed').length;
      total += removed;
      kept += page.length - removed;
    }
  }

  /** Deletes every dead letter. @returns how many. */
  async purgeFailed(): Promise<number> {
    return this.#purge('');
  }

  /**
   * Sends a command to workers and waits at most `timeoutMs` for their answers. A worker executes a command once, even if it
   * arrives twice; a silent worker may execute it later, if it is still alive.
   * @param verb name of the command; the worker defines which it accepts.
   * @returns for each worker: its answer, its error, or that it was silent or is not registered.
   * @throws {QueueError} `COMMAND_INVALID`; `REDIS_UNAVAILABLE`: perhaps no worker received the command
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

  #remove(place: 'failed' | 'delayed', ids: readonly string[]): Promise<RemoveWord[]> {
    return this.#each(ids, (shard, here) =>
      this.#once<RemoveWord[]>('remove', shard, [place, ...here]),
    );
  }

  /** Runs a script that takes effect at most once, even when it is retried. */
  #once<T>(name: ScriptName, shard: number, args: readonly (string | number)[]): Promise<T> {
    return this.#broker.run<T>(name, shard, [randomUUID(), ...args]);
  }

  /** Calls each shard with at most `MAX_IDS` ids at a time. @returns answers in the order of the ids. */
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
