/**
 * Flows of BullMQ: a parent that waits for its children. Neither is kept once it has ended, and the rest is default.
 */
import { once } from 'node:events';
import { FlowProducer, QueueEvents, Worker } from 'bullmq';
import { RESULT, type Payload } from '../peer.ts';
import type { DurablePeer, DurablePlace } from './peer.ts';

const CHILDREN = 'bench-children';
const PARENTS = 'bench-parents';
const KEEP_NONE = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
const CONCURRENCY = 50;

export const bullmqFlows: DurablePeer = {
  async openClient(place) {
    const flows = new FlowProducer(optionsOf(place));
    const events = new QueueEvents(PARENTS, optionsOf(place));
    await Promise.all([flows.waitUntilReady(), events.waitUntilReady()]);
    return {
      async chord(data, members) {
        const ended = once(events, 'completed');
        await flows.add({
          name: 'bench',
          queueName: PARENTS,
          data,
          children: Array.from({ length: members }, () => ({
            name: 'bench',
            queueName: CHILDREN,
            data,
          })),
        });
        await ended;
      },
    };
  },

  async openWorker(place, ended) {
    for (const queue of [CHILDREN, PARENTS]) {
      const handler = async (): Promise<typeof RESULT> => RESULT;
      const settings = { ...optionsOf(place), ...KEEP_NONE, concurrency: CONCURRENCY };
      const worker = new Worker<Payload>(queue, handler, settings);
      // Emitted once Redis has answered.
      worker.on('completed', () => ended.add());
      worker.on('failed', (_job, error) => ended.fail(error));
      worker.on('error', (error) => ended.fail(error));
      await worker.waitUntilReady();
    }
  },
};

function optionsOf({ redisUrl: url }: DurablePlace) {
  return { connection: { url, maxRetriesPerRequest: null } };
}
