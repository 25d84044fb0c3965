/**
 * Every key the queue writes. Each shard has one hash tag, hence one slot of a Redis Cluster, so a script can use all its keys.
 *
 * | key after `prefix:{s0}:` | type | holds | lives |
 * |---|---|---|---|
 * | `jobs` | HASH id -> record | the job, then its result (record.ts) | until retention drops it |
 * | `wait:<queue>:<0..9>` | LIST of ids | a line: pending jobs of one queue and priority | while it has jobs |
 * | `delayed` | ZSET due ms, and its place in that ms -> priority + id | scheduled and retrying jobs | while it has jobs |
 * | `workers` | ZSET deadline ms -> worker | lease deadlines, one per process | until the worker stops or is reaped |
 * | `lease:<worker>` | SET of ids | jobs the worker leases | as long as the worker |
 * | `inbox:<worker>` | LIST of messages | jobs handed over (`j`), due times (`t`), revokes (`r`), requests to claim (`c`), commands (`m`) | as long as the worker |
 * | `replies:<worker>` | HASH seq -> answer | the last 4 answers of `step`, and the queues the worker serves | as long as the worker |
 * | `idle:<queue>` | ZSET ms -> worker | idle workers that serve this queue | until a script meets the stale entry |
 * | `free` | HASH worker -> slots | how many jobs an idle worker takes | as long as the worker |
 * | `counts` | HASH id -> `attempts:deaths:mark` | sparse: failures charged to jobs; then `:snoozes` if there were any | until the job ends |
 * | `progress` | HASH id -> JSON | sparse: the latest progress of running jobs | until the job ends |
 * | `failed` | ZSET ms -> id | dead letters | until requeued, purged or expired (`meta`) |
 * | `done`, `marks`, `doneBytes` | LIST, LIST, counter | finished jobs, and their batches for retention | bounded by `meta` |
 * | `queues` | SET of names | every queue that ever had a job | forever |
 * | `paused` | SET of queues | queues that workers must not claim from | until resumed |
 * | `looked` | STRING | a worker has searched for lost and doubled jobs | 1 h |
 * | `answer:<call>` | STRING | the answer to a `Control` call, for retries of it | 60 s |
 * | `reply:<call>` | LIST of worker + answer | the workers' answers to a command | 60 s |
 * | `meta` | HASH | shards, retention limits | for good |
 * | `events` | STREAM | batches of ended jobs | the last 256 or so |
 */
import { QueueError } from './errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const QUEUE_NAME = /^[\w.-]{1,64}$/;

export function isJobId(id: unknown): id is string {
  return typeof id === 'string' && UUID.test(id);
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

/** The shard of a job: the first byte of its UUID modulo the number of shards. */
export function shardOf(id: string, shards: number): number {
  return shards === 1 ? 0 : Number.parseInt(id.slice(0, 2), 16) % shards;
}

export function shardKey(prefix: string, shard: number, name: string): string {
  return `${prefix}:{s${shard}}:${name}`;
}
