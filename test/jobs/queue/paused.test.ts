import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startConsumer } from '../../support/consumers.ts';
import { ownRedis } from '../../support/own-redis.ts';
import { stretched } from '../../support/patience.ts';
import { request, testQueue } from '../../support/queue.ts';

const LEASE_MS = stretched(500);
const JOBS = 15;

test('a Redis that paused for longer than a lease takes no job from a worker that lives', async (t) => {
  const redis = await ownRedis(t);
  const queue = testQueue(t, { url: redis.url });
  const { broker } = queue;
  await broker.enqueue(
    0,
    Array.from({ length: JOBS }, (_, i) => request(`job-${i}`)),
  );
  const workers = [];
  for (let i = 0; i < 3; i++) {
    workers.push(
      await startConsumer(
        queue,
        { limit: 5, leaseMs: LEASE_MS },
        queue.another({ url: redis.url }),
      ),
    );
  }
  await Promise.all(workers.map((worker) => worker.until(5)));
  // Long enough for everybody to be entitled to reap, and for a reap to be on its way into the pause.
  await sleep(2 * LEASE_MS);
  for (let round = 0; round < 2; round++) {
    redis.pause();
    await sleep(2 * LEASE_MS);
    redis.resume();
    await sleep(2 * LEASE_MS);
  }
  assert.deepEqual(
    workers.flatMap(({ lost }) => lost),
    [],
  );
  assert.equal(await queue.redis.hlen(broker.key(0, 'counts')), 0, 'nobody is a suspect');
  for (const { consumer, delivered } of workers) {
    for (const { job } of delivered) consumer.settle(job.id, { kind: 'succeeded', result: '1' });
  }
});
