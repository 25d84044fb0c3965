/**
 * The queue of this repository, by its public face and with its defaults.
 */
import { randomUUID } from 'node:crypto';
import { Broker, Producer as QueueProducer, Runner } from '../../../jobs/queue/index.ts';
import {
  monotonicMs,
  RESULT,
  type Consumer,
  type ConsumerOptions,
  type Payload,
  type Peer,
  type Place,
  type Producer,
} from './peer.ts';
import { Tally } from './tally.ts';
import { untilSucceeded } from './our-broker.ts';
import { runThroughThreads } from './our-threads.ts';

export const ours: Peer = { openProducer, openConsumer, openThreads: runThroughThreads };

async function openBroker({ url, queue }: Place): Promise<Broker> {
  const broker = new Broker({ url, prefix: queue });
  await broker.open();
  return broker;
}

async function openProducer(place: Place): Promise<Producer> {
  const broker = await openBroker(place);
  const producer = new QueueProducer(broker);
  const { queue } = place;
  const add = (payload: Payload, delayMs = 0): Promise<unknown> =>
    producer.enqueue({
      id: randomUUID(),
      task: 'bench',
      queue,
      payload: JSON.stringify(payload),
      delayMs,
    });
  return {
    add,
    addBulk: (payloads, delayMs) => Promise.all(payloads.map((payload) => add(payload, delayMs))),
    close: async () => broker.close(),
  };
}

async function openConsumer(
  place: Place,
  { concurrency, started }: ConsumerOptions,
): Promise<Consumer> {
  const broker = await openBroker(place);
  const tally = new Tally();
  let lastId = '';
  const runner = new Runner(broker, {
    queues: [place.queue],
    concurrency,
    async run({ id, payload }) {
      started(JSON.parse(payload) as Payload);
      lastId = id;
      tally.add();
      return JSON.stringify(RESULT);
    },
    failed: (error) => tally.fail(error),
  });
  return {
    start: () => runner.start(),
    async settled(jobs) {
      await tally.reached(jobs);
      await untilSucceeded(broker, lastId);
      return monotonicMs();
    },
    async close() {
      await runner.stop();
      broker.close();
    },
  };
}
