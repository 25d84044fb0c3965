/**
 * BullMQ with what makes it fastest while it does the same work: it keeps no finished job (ours keeps the last 10,000
 * with their results), said once on the worker, so that no job carries it; its own counting ids; defaults otherwise.
 * ioredis' auto-pipelining was tried and left off: adds are no faster with it, drains are slower.
 */
import { Queue, Worker, type WorkerOptions } from 'bullmq';
import { monotonicMs, RESULT, type Consumer, type Payload, type Peer, type Place } from './peer.ts';
import { Tally } from './tally.ts';

const KEEP_NONE = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
const PROCESSOR = new URL('../children/bullmq-processor.js', import.meta.url);

export const bullmq: Peer = {
  async openProducer(place) {
    const { queue: name } = place;
    const queue = new Queue<Payload>(name, options(place));
    await queue.waitUntilReady();
    return {
      add: (data, delay) => queue.add('bench', data, delay === undefined ? undefined : { delay }),
      addBulk: (payloads, delay) => {
        const opts = delay === undefined ? {} : { opts: { delay } };
        return queue.addBulk(payloads.map((data) => ({ name: 'bench', data, ...opts })));
      },
      close: () => queue.close(),
    };
  },

  async openConsumer(place, { concurrency, started }) {
    const handler = async ({ data }: { data: Payload }): Promise<typeof RESULT> => {
      started(data);
      return RESULT;
    };
    return consume(
      new Worker<Payload>(place.queue, handler, { ...workerOptions(place), concurrency }),
    );
  },

  /** One job at a time is all a thread of BullMQ takes, so its concurrency is its number of threads. */
  async openThreads(place, { threads }) {
    const settings = { ...workerOptions(place), concurrency: threads, useWorkerThreads: true };
    return consume(new Worker<Payload>(place.queue, PROCESSOR, settings));
  },
};

function options({ url }: Place): { connection: { url: string; maxRetriesPerRequest: null } } {
  return { connection: { url, maxRetriesPerRequest: null } };
}

function workerOptions(place: Place): WorkerOptions {
  return { ...options(place), ...KEEP_NONE, autorun: false };
}

async function consume(worker: Worker<Payload>): Promise<Consumer> {
  const tally = new Tally();
  // Emitted once Redis has answered.
  worker.on('completed', () => tally.add());
  worker.on('failed', (_job, error) => tally.fail(error));
  worker.on('error', (error) => tally.fail(error));
  await worker.waitUntilReady();
  return {
    async start() {
      worker.run().catch((error: unknown) => tally.fail(error));
    },
    async settled(jobs) {
      await tally.reached(jobs);
      return monotonicMs();
    },
    close: () => worker.close(),
  };
}
