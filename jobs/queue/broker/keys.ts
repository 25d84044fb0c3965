/**
 * Every key the queue writes. One hash tag is one shard, so a shard lives in one slot of a Redis Cluster and one script
 * may touch all its keys.
 *
 * | key after `prefix:{s0}:` | type | holds | lives |
 * |---|---|---|---|
 * | `jobs` | HASH id -> record | the job, then its result (record.ts) | until retention drops it |
 * | `wait:<queue>:<0..9>` | LIST of ids | pending jobs, by priority | while it has jobs |
 * | `delayed` | ZSET due ms -> priority + id | scheduled and retrying jobs | while it has jobs |
 * | `workers` | ZSET deadline ms -> worker | heartbeats, one per process | until stopped or reaped |
 * | `lease:<worker>` | SET of ids | what a worker holds | as its worker |
 * | `inbox:<worker>` | LIST of messages | jobs handed over (`j`), due times (`t`), revokes (`r`), "claim" (`c`), commands (`m`) | as its worker |
 * | `replies:<worker>` | HASH seq -> answer | the last 4 answers of `step`, and the queues it serves | as its worker |
 * | `idle:<queue>` | ZSET ms -> worker | workers that wait for this queue | emptied by those who meet stale entries |
 * | `free` | HASH worker -> slots | how many jobs an idle worker takes | as its worker |
 * | `counts` | HASH id -> `attempts:deaths:mark` | sparse: jobs something went wrong with | until the job ends |
 * | `progress` | HASH id -> JSON | sparse: what running jobs reported | until the job ends |
 * | `failed` | ZSET ms -> id | dead letters | until requeued or purged |
 * | `done`, `marks`, `doneBytes` | LIST, LIST, counter | retention of finished jobs, by batch | bounded by `meta` |
 * | `queues` | SET of names | every queue that ever had a job | for good |
 * | `paused` | SET of queues | not claimed from | until resumed |
 * | `looked` | STRING | somebody has looked for lost and doubled jobs | 1 h |
 * | `answer:<call>` | STRING | what a call of `Control` was told, should it be sent again | 60 s |
 * | `reply:<call>` | LIST of worker + answer | what workers answer to a command | 60 s |
 * | `meta` | HASH | shards, retention limits, memory reading | for good |
 * | `events` | STREAM | batches of ended jobs | the last 256 or so |
 */
import { QueueError } from './errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** What may be the name of a queue. */
export const QUEUE_NAME = /^[\w.-]{1,64}$/;

export function isJobId(id: string): boolean {
  return UUID.test(id);
}

/** @throws {QueueError} `JOB_ID_INVALID` */
export function assertJobId(id: string): void {
  if (!isJobId(id)) throw new QueueError('JOB_ID_INVALID');
}

/** @throws {QueueError} `JOB_OPTION_INVALID` */
export function assertQueueName(queue: string): void {
  if (!QUEUE_NAME.test(queue)) {
    throw new QueueError(
      'JOB_OPTION_INVALID',
      'A queue name has 1 to 64 letters, digits, "_", "." or "-".',
    );
  }
}

/** Where a job lives, from its id alone: the first byte of the UUID modulo the number of shards. */
export function shardOf(id: string, shards: number): number {
  return shards === 1 ? 0 : Number.parseInt(id.slice(0, 2), 16) % shards;
}

/** A key of one shard by the last part of its name. */
export function shardKey(prefix: string, shard: number, name: string): string {
  return `${prefix}:{s${shard}}:${name}`;
}
