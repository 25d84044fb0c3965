/** Connects to Redis and runs the scripts that move jobs, one method per script. Read-only queries are in inspector.ts. */
import type { Node } from '../../../base/redis/cluster.ts';
import { connect, type Client } from '../../../base/redis/connection.ts';
import { runScript, type Patience } from './run-script.ts';
import { assertSuitable } from './suitable.ts';
import { isMoved, QueueError } from './errors.ts';
import { assertJobId, shardKey, shardOf } from './keys.ts';
import { assertQueueOptions, encodeKeep, type QueueOptions } from './options.ts';
import { encodeJob, type JobRequest } from './record.ts';
import { encodeCounts, type Counts } from './counts.ts';
import type { ScriptName } from './scripts.ts';
import {
  decodeLeased,
  decodeStep,
  encodeStep,
  type Leased,
  type RawStepReply,
  type StepCall,
  type StepReply,
} from './step.ts';

/** How long a call is retried while Redis is unavailable, in milliseconds. Producers fail sooner, as their callers wait. */
const PATIENCE_MS = 10_000;
const PRODUCER_PATIENCE_MS = 1000;
/** Most jobs in one call, far below what Lua can unpack. */
const MAX_JOBS = 1000;

export type EnqueueWord = 'added' | 'exists' | 'conflict';

export class Broker {
  readonly shards: number;
  readonly options: Readonly<QueueOptions>;
  readonly #prefix: string;
  #cluster: readonly Node[] | undefined;
  #redis: Client;
  #joining: Promise<void> | undefined;

  /** @throws {QueueError} `OPTION_INVALID` */
  constructor(options: QueueOptions) {
    assertQueueOptions(options);
    this.options = options;
    this.shards = options.shards ?? 1;
    this.#prefix = options.prefix ?? 'queue';
    this.#redis = this.connect('broker');
  }

  get redis(): Client {
    return this.#redis;
  }

  /** Closes the connection and rejects calls in flight. */
  close(): void {
    this.#redis.disconnect();
  }

  connect(name: string, { blocking = false } = {}): Client {
    const { url } = this.options;
    return connect({ url, name: `${this.#prefix}:${name}`, cluster: this.#cluster, blocking });
  }

  /**
   * Connects and checks that Redis and these options fit the queue. Optional for a process that only adds jobs.
   * @throws {QueueError} `REDIS_UNAVAILABLE`, `REDIS_UNSUITABLE`, `SHARDS_MISMATCH`
   */
  async open(): Promise<void> {
    await this.#join();
    for (let shard = 0; shard < this.shards; shard++) await this.describe(shard);
  }

  /** Stores the shard count and the retention limits; the latest explicit limits win. @throws {QueueError} `SHARDS_MISMATCH` */
  async describe(shard: number): Promise<void> {
    const args = [this.shards, ...encodeKeep(this.options)];
    const known = await this.run<string>('describe', shard, args, 0);
    if (Number(known) !== this.shards) {
      const message = `The queue has ${known} shards, not ${this.shards}.`;
      throw new QueueError('SHARDS_MISMATCH', message);
    }
  }

  /** Detects whether the URL names a single server or a cluster node, and reconnects as a cluster client for the latter. */
  async #join(): Promise<void> {
    this.#cluster = await assertSuitable(this.#redis);
    if (this.#cluster === undefined) return;
    const single = this.#redis;
    this.#redis = this.connect('broker');
    // `quit` lets commands in flight finish.
    void single.quit().catch(() => single.disconnect());
  }

  key(shard: number, name: string): string {
    return shardKey(this.#prefix, shard, name);
  }

  shardOf(id: string): number {
    return shardOf(id, this.shards);
  }

  /** Groups ids by shard. @throws {QueueError} `JOB_ID_INVALID` */
  byShard(ids: readonly string[]): Map<number, string[]> {
    const groups = new Map<number, string[]>();
    for (const id of ids) {
      assertJobId(id);
      const shard = this.shardOf(id);
      const group = groups.get(shard) ?? [];
      if (group.push(id) === 1) groups.set(shard, group);
    }
    return groups;
  }

  /**
   * Adds jobs of one shard in one call, which is safe to repeat.
   * @returns one word per job, in order.
   * @throws {QueueError} before sending, for the first invalid job or beyond 1,000 jobs; `QUEUE_FULL`, `REDIS_UNAVAILABLE`
   */
  async enqueue(
    shard: number,
    requests: readonly JobRequest[],
    nowMs = Date.now(),
  ): Promise<EnqueueWord[]> {
    if (requests.length > MAX_JOBS) {
      throw new QueueError('JOB_OPTION_INVALID', `One call adds at most ${MAX_JOBS} jobs.`);
    }
    const records = requests.map((request) => encodeJob(request, nowMs));
    return this.enqueueRecords(shard, requests, records);
  }

  /** `enqueue` for encoded records. Consecutive jobs with the same queue, priority, delay and expiry share a group. */
  async enqueueRecords(
    shard: number,
    requests: readonly JobRequest[],
    records: readonly string[],
  ): Promise<EnqueueWord[]> {
    const args: (string | number)[] = [];
    let group = '';
    let size = 0;
    requests.forEach(({ id, queue, priority = 5, delayMs = 0, expiresInMs = '' }, index) => {
      const line = `${queue} ${priority} ${delayMs} ${expiresInMs}`;
      if (line !== group) {
        group = line;
        size = args.push(queue, priority, delayMs, expiresInMs, 0) - 1;
      }
      args[size] = Number(args[size]) + 1;
      args.push(id, records[index] ?? '');
    });
    const words = await this.run<EnqueueWord[]>('enqueue', shard, args, PRODUCER_PATIENCE_MS);
    return words.length > 0 ? words : requests.map(() => 'added');
  }

  /** Runs one round of a worker, with retries for `patienceMs`. @throws {QueueError} `WORKER_UNKNOWN`, `STALE` */
  async step(shard: number, call: StepCall, patienceMs?: Patience): Promise<StepReply> {
    const args = encodeStep(call);
    return decodeStep(await this.run<RawStepReply>('step', shard, args, patienceMs));
  }

  /**
   * Sends a worker's heartbeat, with retries for half a lease while Redis is unavailable.
   * @param queues registers the worker for these queues; undefined keeps its registration.
   * @returns Redis's clock and the due time of the next delayed job, in milliseconds since 1970.
   * @throws {QueueError} `WORKER_UNKNOWN` when `queues` is undefined and the worker is not registered.
   */
  async renew(
    shard: number,
    worker: string,
    leaseMs: number,
    queues?: readonly string[],
  ): Promise<{ nowMs: number; nextDueMs: number | undefined }> {
    const registered = queues?.length === 0 ? ',' : (queues?.join(',') ?? '');
    const args = [worker, leaseMs, registered];
    const [nowMs, nextDueMs] = await this.run<[number, number]>('renew', shard, args, leaseMs / 2);
    return { nowMs, nextDueMs: nextDueMs < 0 ? undefined : nextDueMs };
  }

  /**
   * Recovers the jobs of workers whose lease expired, until `limit` jobs are reached. Never retried.
   * @param notAfterMs time on Redis's clock after which the call does nothing, in milliseconds since 1970; 0 for none.
   */
  async reap(
    shard: number,
    limit = 500,
    notAfterMs = 0,
  ): Promise<{ worker: string; jobs: number }[]> {
    const flat = await this.run<(string | number)[]>('reap', shard, [limit, notAfterMs], 0);
    return Array.from({ length: flat.length / 2 }, (_, i) => ({
      worker: String(flat[2 * i]),
      jobs: Number(flat[2 * i + 1]),
    }));
  }

  /** Stores the progress of a job, JSON text, if this worker leases it. */
  async progress(shard: number, worker: string, id: string, text: string): Promise<void> {
    await this.run('progress', shard, [worker, id, text], PRODUCER_PATIENCE_MS);
  }

  /** Replaces the counts of a leased job. @returns false when this worker no longer leases it. */
  async mark(shard: number, worker: string, id: string, counts: Counts): Promise<boolean> {
    return (await this.run<number>('mark', shard, [worker, id, encodeCounts(counts)])) === 1;
  }

  /** Empties a worker's inbox, except for commands. @returns the ids it leases. @throws {QueueError} `WORKER_UNKNOWN` */
  async resync(shard: number, worker: string): Promise<string[]> {
    return this.run<string[]>('resync', shard, [worker]);
  }

  /** Reads the given jobs, leaving out those that the worker does not lease. */
  async leased(shard: number, worker: string, ids: readonly string[]): Promise<Leased[]> {
    const leased: Leased[] = [];
    for (let read = 0; read < ids.length;) {
      const some = ids.slice(read, read + MAX_JOBS);
      const flat = await this.run<(string | number)[]>('leased', shard, [worker, ...some]);
      leased.push(...decodeLeased(flat));
      read += flat.length / 4;
    }
    return leased;
  }

  /** Unregisters a worker and returns its jobs to their lines, uncharged. @returns how many. */
  async leave(shard: number, worker: string): Promise<number> {
    return this.run<number>('leave', shard, [worker], PRODUCER_PATIENCE_MS);
  }

  /** Runs a script on one shard, with retries for at most `patienceMs` while Redis is unavailable. @throws {QueueError} */
  async run<T>(
    name: ScriptName,
    shard: number,
    args: readonly (string | number)[],
    patienceMs: Patience = PATIENCE_MS,
  ): Promise<T> {
    const key = this.key(shard, 'jobs');
    const all = [this.options.clockOffsetMs ?? 0, ...args];
    try {
      return await runScript<T>(this.redis, name, key, all, patienceMs);
    } catch (error) {
      // Without `open`, the command went to a cluster node that does not own this shard, which executed nothing.
      if (!isMoved(error)) throw error;
    }
    this.#joining ??= this.#join().finally(() => (this.#joining = undefined));
    await this.#joining;
    return runScript<T>(this.redis, name, key, all, patienceMs);
  }
}
