/** Runs what is queued in this process, one job after another, until nothing is due: for tests and scripts. */
import { randomUUID } from 'node:crypto';
import type { Broker } from './broker/broker.ts';
import { decodeCounts } from './broker/counts.ts';
import { decodeJob } from './broker/record.ts';
import type { Leased } from './broker/step.ts';
import { Inspector } from './client/inspector.ts';
import type { Delivery } from './worker/lane.ts';
import { Settlements, type Settlement } from './worker/settlements.ts';

/** If this process dies, its job waits this long, in milliseconds; a job that runs longer may run elsewhere too. */
const LEASE_MS = 600_000;

/**
 * Delayed jobs stay where they are, as do those of paused queues. Jobs that `run` enqueues are run too.
 * @param run ends everything if it throws; its job returns to the line.
 * @throws {QueueError} `REDIS_UNAVAILABLE`
 */
export async function drain(
  broker: Broker,
  run: (delivery: Delivery) => Promise<Settlement>,
): Promise<void> {
  let isEmpty = false;
  while (!isEmpty) {
    isEmpty = true;
    for (let shard = 0; shard < broker.shards; shard++) {
      if ((await drainShard(broker, shard, run)) > 0) isEmpty = false;
    }
  }
}

/** @returns 0 if there was nothing to do. */
async function drainShard(
  broker: Broker,
  shard: number,
  run: (delivery: Delivery) => Promise<Settlement>,
): Promise<number> {
  const worker = randomUUID();
  const settlements = new Settlements();
  const inspector = new Inspector(broker);
  let ran = 0;
  let isEmpty = false;
  try {
    for (let seq = 1; !isEmpty; seq++) {
      // A job may have been enqueued into a queue that is new.
      const queues = (await inspector.overview()).queues.map(({ name }) => name);
      await broker.renew(shard, worker, LEASE_MS, queues);
      const call = { worker, seq, free: 1, known: 0, queues, ...settlements.take() };
      const { claimed, more } = await broker.step(shard, call);
      for (const leased of claimed) {
        await settle(leased, settlements, run);
        ran++;
      }
      isEmpty = claimed.length === 0 && !more;
    }
  } finally {
    // What was handed to this idle worker in the meantime is back in line, and counts as work left.
    ran += await broker.leave(shard, worker);
  }
  return ran;
}

async function settle(
  leased: Leased,
  settlements: Settlements,
  run: (delivery: Delivery) => Promise<Settlement>,
): Promise<void> {
  const { id, record, counts } = leased;
  let delivery: Delivery;
  try {
    delivery = { job: decodeJob(id, record), counts: decodeCounts(counts) };
  } catch {
    return settlements.addUnreadable(leased);
  }
  settlements.add(delivery.job, await run(delivery));
}
