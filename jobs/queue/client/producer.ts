/**
 * Adds jobs. Calls made in the same turn of the event loop travel together: Redis is paid per command, not per job.
 */
import { type Broker, type EnqueueWord } from '../broker/broker.ts';
import { QueueError } from '../broker/errors.ts';
import { encodeJob, type JobRequest } from '../broker/record.ts';

/** Most jobs in one call: larger ones cost Redis more per job. */
const MAX_BATCH = 100;
/** About the most bytes of records in one call, as it has a deadline; a single job may be larger. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Most calls in flight per shard: enough to keep Redis busy, few enough that later calls grow to full batches. */
const MAX_IN_FLIGHT = 3;

export type EnqueueOutcome = 'added' | 'exists';

interface Pending {
  request: JobRequest;
  record: string;
  resolve(outcome: EnqueueOutcome): void;
  reject(error: unknown): void;
}

/** What one shard is still to be sent. */
interface Backlog {
  pending: Pending[];
  inFlight: number;
  scheduled: boolean;
}

export class Producer {
  readonly #broker: Broker;
  readonly #backlogs: Backlog[];

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#backlogs = Array.from({ length: broker.shards }, () => ({
      pending: [],
      inFlight: 0,
      scheduled: false,
    }));
  }

  /**
   * Adds one job. The same id with the same task and payload is `exists`; nothing is added twice.
   * @throws {QueueError} `JOB_CONFLICT`, `QUEUE_FULL`, `REDIS_UNAVAILABLE` (calling again is safe), and those of `encodeJob`.
   */
  enqueue(request: JobRequest): Promise<EnqueueOutcome> {
    return new Promise((resolve, reject) => {
      const record = encodeJob(request, Date.now());
      const shard = this.#broker.shardOf(request.id);
      const backlog = this.#backlogs[shard]!;
      backlog.pending.push({ request, record, resolve, reject });
      if (backlog.scheduled) return;
      backlog.scheduled = true;
      process.nextTick(() => {
        backlog.scheduled = false;
        this.#flush(shard, backlog);
      });
    });
  }

  #flush(shard: number, backlog: Backlog): void {
    while (backlog.pending.length > 0 && backlog.inFlight < MAX_IN_FLIGHT) {
      backlog.inFlight++;
      void this.#send(shard, takeBatch(backlog.pending)).finally(() => {
        backlog.inFlight--;
        this.#flush(shard, backlog);
      });
    }
  }

  async #send(shard: number, batch: readonly Pending[]): Promise<void> {
    try {
      const words = await this.#broker.enqueueRecords(
        shard,
        batch.map((item) => item.request),
        batch.map((item) => item.record),
      );
      batch.forEach((item, index) => settle(item, words[index]!));
    } catch (error) {
      for (const item of batch) item.reject(error);
    }
  }
}

/** Removes what goes with the next call. */
function takeBatch(pending: Pending[]): Pending[] {
  let count = 0;
  let bytes = 0;
  while (count < MAX_BATCH && count < pending.length) {
    bytes += Buffer.byteLength(pending[count]!.record);
    if (bytes > MAX_BATCH_BYTES && count > 0) break;
    count++;
  }
  return pending.splice(0, count);
}

function settle(item: Pending, word: EnqueueWord): void {
  if (word === 'conflict') item.reject(new QueueError('JOB_CONFLICT'));
  else item.resolve(word);
}
