import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startConsumer, type TestConsumer } from '../../support/queue/consumers.ts';
import { ownRedis } from '../../support/stores/own-redis.ts';
import { stretched } from '../../support/patience.ts';
import { request, testQueue, type TestQueue } from '../../support/queue/scripts.ts';

const LEASE_MS = stretched(1000);
const WORKERS = 3;
const JOBS = 15;

interface Reaper extends TestConsumer {
  seen: { reaps: number };
}

/** A worker with a part of the jobs, and how often it has looked for dead ones. */
async function startReaper(queue: TestQueue, url: string): Promise<Reaper> {
  const broker = queue.another({ url });
  const reap = broker.reap.bind(broker);
  const seen = { reaps: 0 };
  broker.reap = async (...args) => {
    const found = await reap(...args);
    seen.reaps++;
    return found;
  };
  const options = { limit: JOBS / WORKERS, leaseMs: LEASE_MS };
  return { seen, ...(await startConsumer(queue, options, broker)) };
}

test('a Redis that paused for longer than a lease takes no job from a worker that lives', async (t) => {
  const redis = await ownRedis(t);
  const queue = testQueue(t, { url: redis.url });
  const { broker } = queue;
  await broker.enqueue(
    0,
    Array.from({ length: JOBS }, (_, i) => request(`job-${i}`)),
  );
  const workers: Reaper[] = [];
  for (let i = 0; i < WORKERS; i++) workers.push(await startReaper(queue, redis.url));
  await Promise.all(workers.map((worker) => worker.until(JOBS / WORKERS)));
  const haveReaped = async (): Promise<void> => {
    for (const { seen } of workers) seen.reaps = 0;
    await eventually('each is entitled to reap, and does', () =>
      workers.every(({ seen }) => seen.reaps > 1),
    );
  };
  await haveReaped();
  redis.pause();
  // In a pause of more than a lease the next reap of each is on its way.
  await sleep(1.5 * LEASE_MS);
  redis.resume();
  await haveReaped();
  assert.deepEqual(
    workers.flatMap(({ lost }) => lost),
    [],
  );
  assert.equal(await queue.redis.hlen(broker.key(0, 'counts')), 0, 'nobody is a suspect');
  for (const { consumer, delivered } of workers) {
    for (const { job } of delivered) consumer.settle(job.id, { kind: 'succeeded', result: '1' });
  }
});
