/** Adds jobs. Calls in the same turn of the event loop share one command, as the cost to Redis is per command, not per job. */
import { type Broker, type EnqueueWord } from '../broker/broker.ts';
import { QueueError } from '../broker/errors.ts';
import { encodeJob, type JobRequest } from '../broker/record.ts';

/** Most jobs in one call; larger calls cost Redis more per job. */
const MAX_BATCH = 100;
/** Approximate limit on the records in one call, as the call has a deadline; a single job may exceed it. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Per shard: enough calls to keep Redis busy, few enough that later calls grow to full batches. */
const MAX_IN_FLIGHT = 3;

export type EnqueueOutcome = 'added' | 'exists';

interface Pending {
  request: JobRequest;
  record: string;
  resolve(outcome: EnqueueOutcome): void;
  reject(error: unknown): void;
}

/** Jobs of one shard that are not sent yet. */
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
   * Adds one job. Resolves to `exists` for a known id with the same task and payload.
   * @throws {QueueError} `JOB_CONFLICT`, `QUEUE_FULL`, `REDIS_UNAVAILABLE` (a retry is safe), and the errors of `encodeJob`.
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
