/** Read-only queries about jobs, queues and workers. */
import type { Broker } from '../broker/broker.ts';
import { send } from '../../../base/redis/connection.ts';
import { classify } from '../broker/errors.ts';
import {
  decodeAbout,
  decodeEnd,
  decodeJob,
  unwrap,
  type Ended,
  type Job,
  type JobAbout,
} from '../broker/record.ts';
import { decodeCounts, type Counts } from '../broker/counts.ts';

export type JobState =
  | 'scheduled'
  | 'pending'
  | 'active'
  | 'retrying'
  | 'succeeded'
  | 'failed'
  | 'revoked'
  | 'unknown';

export interface JobStatus extends Omit<Ended, 'charged'> {
  id: string;
  state: JobState;
  /** Undefined for an unknown job or an unreadable record. */
  about: JobAbout | undefined;
  counts: Counts;
  /** The latest progress of the running job, JSON text. */
  progress: string | undefined;
  /** Undefined also for a job that succeeded, as its result has replaced the job record. */
  job: Job | undefined;
}

export interface QueueFacts {
  name: string;
  /** Waiting jobs by priority 0 to 9. A revoked job counts until a worker reaches it in line. */
  waiting: number[];
  paused: boolean;
}

export interface WorkerFacts {
  id: string;
  queues: string[];
  held: number;
  /** Time until the lease expires without another heartbeat. */
  leaseLeftMs: number;
}

export interface Overview {
  queues: QueueFacts[];
  workers: WorkerFacts[];
  /** Scheduled and retrying jobs. */
  delayed: number;
  /** Dead letters. */
  failed: number;
  /** Finished jobs that are still kept. */
  done: number;
}

/** `done` lists succeeded and revoked jobs, newest last. */
export type PageOf =
  | { list: 'delayed' | 'failed' | 'done' }
  | { list: 'waiting'; queue: string; priority: number };

const SETTLED: ReadonlySet<JobState> = new Set(['succeeded', 'failed', 'revoked', 'unknown']);
export const isSettled = ({ state }: JobStatus): boolean => SETTLED.has(state);

const MAX_STATUSES = 1000;
/** Reads are retried only briefly, as nothing depends on them. */
const PATIENCE_MS = 500;
const MAX_PAGE = 500;

export class Inspector {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** The state is `unknown` when Redis never had the job or no longer keeps it. */
  async status(id: string): Promise<JobStatus> {
    const [status] = await this.statuses([id]);
    return status!;
  }

  /** In the order of `ids`, with few calls per shard. @throws {QueueError} `REDIS_UNAVAILABLE` */
  async statuses(ids: readonly string[]): Promise<JobStatus[]> {
    const found = new Map<string, JobStatus>();
    for (const [shard, here] of this.#broker.byShard(ids)) {
      for (let read = 0; read < here.length;) {
        const some = here.slice(read, read + MAX_STATUSES);
        const flat = await this.#broker.run<string[]>('status', shard, some, PATIENCE_MS);
        const told = flat.length / 4;
        some.slice(0, told).forEach((id, index) => {
          found.set(id, decodeStatus(id, flat.slice(4 * index, 4 * index + 4)));
        });
        read += told;
      }
    }
    return ids.map((id) => found.get(id)!);
  }

  /**
   * Reports those of the ids that need not be waited for: their jobs have ended, or this Redis does not know them.
   * @throws {QueueError} `REDIS_UNAVAILABLE` after reporting what the available shards know.
   */
  async findSettled(ids: readonly string[], report: (ids: string[]) => void): Promise<void> {
    const shards = [...this.#broker.byShard(ids)].map(async ([, here]) => {
      const statuses = await this.statuses(here);
      report(statuses.filter(isSettled).map(({ id }) => id));
    });
    const failed = (await Promise.allSettled(shards)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async overview(): Promise<Overview> {
    const total: Overview = { queues: [], workers: [], delayed: 0, failed: 0, done: 0 };
    for (let shard = 0; shard < this.#broker.shards; shard++) {
      const text = await this.#broker.run<string>('overview', shard, [], PATIENCE_MS);
      addShard(total, JSON.parse(text) as ShardFacts);
    }
    return total;
  }

  /** Counts the jobs that wait in a queue, over all priorities and shards. */
  async waiting(queue: string): Promise<number> {
    const { queues } = await this.overview();
    const facts = queues.find(({ name }) => name === queue);
    return facts?.waiting.reduce((sum, count) => sum + count, 0) ?? 0;
  }

  /** Jobs of a list in its order, shard after shard; `limit` is at most 500. */
  async page(of: PageOf, { offset = 0, limit = 50 } = {}): Promise<JobStatus[]> {
    const ids: string[] = [];
    let skip = offset;
    const wanted = Math.min(limit, MAX_PAGE);
    for (let shard = 0; shard < this.#broker.shards && ids.length < wanted; shard++) {
      const length = await this.#read(() => this.#length(shard, of));
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const stop = skip + wanted - ids.length - 1;
      ids.push(...(await this.#read(() => this.#range(shard, of, skip, stop))));
      skip = 0;
    }
    return this.statuses(ids);
  }

  #length(shard: number, of: PageOf): Promise<number> {
    const key = this.#key(shard, of);
    const { redis } = this.#broker;
    return of.list === 'waiting' || of.list === 'done' ? redis.llen(key) : redis.zcard(key);
  }

  async #range(shard: number, of: PageOf, start: number, stop: number): Promise<string[]> {
    const key = this.#key(shard, of);
    const { redis } = this.#broker;
    if (of.list === 'waiting' || of.list === 'done') return redis.lrange(key, start, stop);
    const members = await redis.zrange(key, start, String(stop));
    return of.list === 'delayed' ? members.map((member) => member.slice(1)) : members;
  }

  #key(shard: number, of: PageOf): string {
    const name = of.list === 'waiting' ? `wait:${of.queue}:${of.priority}` : of.list;
    return this.#broker.key(shard, name);
  }

  async #read<T>(command: () => Promise<T>): Promise<T> {
    return send<T>(this.#broker.redis, command).catch((error: unknown) => {
      throw classify(error);
    });
  }
}

/** The reply of `overview`. cjson writes an empty list as `{}`, so read the lists with `Object.values`. */
export interface ShardFacts {
  delayed: number;
  failed: number;
  done: number;
  queues: QueueFacts[];
  /** Queues are separated by commas. */
  workers: (Omit<WorkerFacts, 'queues'> & { queues: string })[];
}

/** Every shard lists the same queues and workers, so waiting and held jobs add up. */
function addShard(total: Overview, facts: ShardFacts): void {
  total.delayed += facts.delayed;
  total.failed += facts.failed;
  total.done += facts.done;
  for (const queue of Object.values(facts.queues)) {
    const known = total.queues.find(({ name }) => name === queue.name);
    if (known === undefined) total.queues.push(queue);
    else known.waiting = known.waiting.map((count, index) => count + queue.waiting[index]!);
  }
  for (const worker of Object.values(facts.workers)) {
    const known = total.workers.find(({ id }) => id === worker.id);
    if (known !== undefined) known.held += worker.held;
    else total.workers.push({ ...worker, queues: worker.queues.split(',').filter(Boolean) });
  }
}

function decodeStatus(
  id: string,
  [state, record = '', counts = '', progress = '']: readonly string[],
): JobStatus {
  const { charged, ...end } = decodeEnd(record);
  return {
    ...end,
    id,
    state: state as JobState,
    counts: { ...decodeCounts(counts), ...charged },
    progress: progress === '' ? undefined : progress,
    about: decodeAbout(record),
    job: readJob(id, record),
  };
}

/** @returns undefined for a record that holds no readable job. */
function readJob(id: string, record: string): Job | undefined {
  try {
    return decodeJob(id, unwrap(record));
  } catch {
    return undefined;
  }
}
