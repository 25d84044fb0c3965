import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_PAYLOAD_BYTES, Producer } from '../../../../jobs/queue/index.ts';
import { request, testQueue } from '../../../support/queue/scripts.ts';

/** How many of `count` jobs added at once each call carries. */
const SIZES: { name: string; count: number; payload: string; sizes: number[] }[] = [
  { name: 'small jobs go a hundred at a time', count: 250, payload: '1', sizes: [100, 100, 50] },
  {
    name: 'large jobs go up to 4 MiB at a time',
    count: 11,
    payload: JSON.stringify('x'.repeat(MAX_PAYLOAD_BYTES - 2)),
    sizes: [3, 3, 3, 2],
  },
  {
    name: 'what is large in bytes only counts as much',
    count: 11,
    payload: JSON.stringify('島'.repeat(349_524)),
    sizes: [3, 3, 3, 2],
  },
];

describe('a producer', () => {
  for (const { name, count, payload, sizes } of SIZES) {
    test(name, async (t) => {
      const { broker, redis } = testQueue(t);
      const sent: number[] = [];
      const enqueueRecords = broker.enqueueRecords.bind(broker);
      broker.enqueueRecords = (shard, requests, records) => {
        sent.push(requests.length);
        return enqueueRecords(shard, requests, records);
      };
      const producer = new Producer(broker);
      const jobs = Array.from({ length: count }, (_, i) => request(`p${i}`, { payload }));
      const words = await Promise.all(jobs.map((job) => producer.enqueue(job)));
      assert.deepEqual(new Set(words), new Set(['added']));
      assert.deepEqual(sent, sizes);
      assert.deepEqual(
        await redis.lrange(broker.key(0, 'wait:main:5'), 0, -1),
        jobs.map(({ id }) => id),
      );
    });
  }
});
