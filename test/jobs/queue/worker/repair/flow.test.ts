/**
 * Jobs are mended while others move, and while they run; what is right is left alone.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Consumer, Inspector, Producer, type Delivery } from '../../../../../jobs/queue/index.ts';
import { repair } from '../../../../../jobs/queue/worker/repair.ts';
import { eventually } from '../../../../support/queue/consumers.ts';
import { testQueue, uuid, type TestQueue } from '../../../../support/queue/scripts.ts';

const never = new AbortController().signal;
const line = 'wait:main:5';

test('nothing is touched where all is well, however closely one looks while jobs move', async (t) => {
  const { broker, redis, another, atEnd } = testQueue(t);
  await broker.open();
  const held: Delivery[] = [];
  const consumer = new Consumer(another(), {
    queues: ['main'],
    limit: 50,
    deliver: (deliveries) => {
      held.push(...deliveries);
      for (const { job } of held.splice(0))
        consumer.settle(job.id, { kind: 'succeeded', result: '1' });
    },
  });
  atEnd(() => consumer.stop());
  await consumer.start();
  const producer = new Producer(broker);
  let flowing = true;
  const flow = (async () => {
    while (flowing) {
      const jobs = Array.from({ length: 20 }, (_, n) =>
        producer.enqueue({
          id: randomUUID(),
          task: 'work',
          queue: 'main',
          payload: '{}',
          delayMs: n % 3 === 0 ? 5 : 0,
        }),
      );
      await Promise.all(jobs);
    }
  })();
  for (let look = 0; look < 200; look++) {
    if (look % 20 === 0) await redis.del(broker.key(0, 'looked'));
    assert.deepEqual(await repair(0, broker, never), { ids: [], wasEven: true });
  }
  flowing = false;
  await flow;
});

/** Damages a queue on which jobs flow, and has two workers mend it at the same time. */
async function damage({ redis, broker }: TestQueue): Promise<{ lost: string[] }> {
  const key = (name: string): string => broker.key(0, name);
  const lost = await redis.lrange(key(line), 0, 99);
  await redis.ltrim(key(line), 100, -1);
  const doubled = await redis.lrange(key(line), 0, 9);
  await redis.rpush(key(line), ...doubled);
  return { lost };
}

test('lost and doubled jobs among thousands are each done once, whoever mends', async (t) => {
  const queue = testQueue(t);
  const { broker, another, atEnd } = queue;
  await broker.open();
  const producer = new Producer(broker);
  const ids = Array.from({ length: 3000 }, () => randomUUID());
  await Promise.all(
    ids.map((id) => producer.enqueue({ id, task: 'work', queue: 'main', payload: '{}' })),
  );
  const { lost } = await damage(queue);
  const found = await Promise.all([broker, another()].map((one) => repair(0, one, never)));
  const mended = found.flatMap(({ ids: mine }) => mine);
  assert.equal(mended.length, 110, 'each by one of the two');
  assert.deepEqual(new Set(mended.filter((id) => lost.includes(id))), new Set(lost));
  const runs = new Map<string, number>();
  const consumer = new Consumer(another(), {
    queues: ['main'],
    limit: 100,
    deliver: (deliveries) => {
      for (const {
        job: { id },
      } of deliveries) {
        runs.set(id, (runs.get(id) ?? 0) + 1);
        consumer.settle(id, { kind: 'succeeded', result: '1' });
      }
    },
  });
  atEnd(() => consumer.stop());
  await consumer.start();
  await eventually('all are done', () => runs.size === ids.length);
  assert.ok([...runs.values()].every((count) => count === 1));
  const inspector = new Inspector(broker);
  await eventually('and told', async () => (await inspector.overview()).done === ids.length);
});

test('a job whose lease was lost while it ran is leased anew, and ends once', async (t) => {
  const queue = testQueue(t);
  const { broker, redis, atEnd } = queue;
  await broker.open();
  const runs: string[] = [];
  const consumer = new Consumer(queue.another(), {
    queues: ['main'],
    limit: 10,
    deliver: (deliveries) => runs.push(...deliveries.map(({ job }) => job.id)),
  });
  atEnd(() => consumer.stop());
  await consumer.start();
  const id = uuid('lone');
  await new Producer(broker).enqueue({ id, task: 'work', queue: 'main', payload: '{}' });
  await eventually('it runs', () => runs.length === 1);
  const lease = broker.key(0, `lease:${consumer.id}`);
  await redis.del(lease);
  assert.deepEqual((await repair(0, broker, never)).ids, [id]);
  await eventually('it is leased', async () => (await redis.sismember(lease, id)) === 1);
  consumer.settle(id, { kind: 'succeeded', result: '1' });
  const inspector = new Inspector(broker);
  await eventually('it has ended', async () => (await inspector.status(id)).state === 'succeeded');
  assert.deepEqual(runs, [id]);
});
