/**
 * A consumer in the process of a test, whose deliveries the test takes one by one.
 */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Consumer,
  type Broker,
  type ConsumerOptions,
  type Delivery,
} from '../../../jobs/queue/index.ts';
import { HANG_MS } from '../patience.ts';
import { short, type TestQueue } from './scripts.ts';

export interface TestConsumer {
  consumer: Consumer;
  /** Everything delivered so far, oldest first. */
  delivered: Delivery[];
  /** Names of the jobs delivered so far. */
  names(): string[];
  lost: string[];
  errors: unknown[];
  /** Resolves when that many jobs were delivered in all. */
  until(count: number): Promise<void>;
}

export async function startConsumer(
  queue: TestQueue,
  options: Partial<ConsumerOptions> & { settle?: boolean } = {},
  broker: Broker = queue.broker,
): Promise<TestConsumer> {
  const { settle = false, ...rest } = options;
  const events = new EventEmitter();
  const test: Omit<TestConsumer, 'consumer'> = {
    delivered: [],
    lost: [],
    errors: [],
    names: () => test.delivered.map(({ job }) => short(job.id)),
    async until(count) {
      while (test.delivered.length < count) await once(events, 'delivered');
    },
  };
  const consumer = new Consumer(broker, {
    queues: ['main'],
    limit: 10,
    leaseMs: 60_000,
    deliver(deliveries) {
      test.delivered.push(...deliveries);
      if (settle) {
        for (const { job } of deliveries)
          consumer.settle(job.id, { kind: 'succeeded', result: '1' });
      }
      events.emit('delivered');
    },
    lost: (ids) => void test.lost.push(...short(ids)),
    failed: (error) => void test.errors.push(error),
    ...rest,
  });
  queue.atEnd(() => consumer.stop());
  await consumer.start();
  return Object.assign(test, { consumer });
}

/** Breaks the connection on which a worker waits for jobs, once it does. */
export async function breakInbox(queue: TestQueue, { consumer }: TestConsumer): Promise<void> {
  const connection = new RegExp(`^id=(\\d+).* name=\\S*inbox:${consumer.id} .* cmd=blmpop`, 'm');
  let id: string | undefined;
  await eventually('the worker waits for jobs', async () => {
    id = connection.exec((await queue.redis.client('LIST')) as string)?.[1];
    return id !== undefined;
  });
  await queue.redis.client('KILL', 'ID', id!);
}

/** Asks every 10 ms until the answer is yes. @throws once it can only be a hang. */
export async function eventually(
  what: string,
  check: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = performance.now() + HANG_MS;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within ${HANG_MS / 1000} s: ${what}`);
    await sleep(10);
  }
}
