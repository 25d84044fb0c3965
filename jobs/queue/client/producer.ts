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

interface Lane {
  pending: Pending[];
  inFlight: number;
  scheduled: boolean;
}

export class Producer {
  readonly #broker: Broker;
  readonly #lanes: Lane[];

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#lanes = Array.from({ length: broker.shards }, () => ({
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
      const lane = this.#lanes[shard]!;
      lane.pending.push({ request, record, resolve, reject });
      if (lane.scheduled) return;
      lane.scheduled = true;
      process.nextTick(() => {
        lane.scheduled = false;
        this.#flush(shard, lane);
      });
    });
  }

  #flush(shard: number, lane: Lane): void {
    while (lane.pending.length > 0 && lane.inFlight < MAX_IN_FLIGHT) {
      lane.inFlight++;
      void this.#send(shard, takeBatch(lane.pending)).finally(() => {
        lane.inFlight--;
        this.#flush(shard, lane);
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
