/**
 * However large jobs are, looking for lost ones never holds up Redis for long.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Broker } from '../../../../../jobs/queue/index.ts';
import { repair } from '../../../../../jobs/queue/worker/repair.ts';
import { record, testQueue, type TestQueue } from '../../../../support/queue/scripts.ts';

const never = new AbortController().signal;
/** Bytes of jobs that one call may read: some 30 ms of Redis at most. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Writes jobs that are in no place. */
async function lose(
  { broker, redis }: TestQueue,
  count: number,
  bytes: number,
): Promise<Set<string>> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const large = record('a', { payload: JSON.stringify('x'.repeat(bytes)) });
  await Promise.all(
    ids.map((id) => redis.hset(broker.key(0, 'jobs'), id, large.replace('"c":T', '"c":1'))),
  );
  return new Set(ids);
}

for (const [bytes, count] of [
  [1024 * 1024, 40],
  [50_000, 500],
] as const) {
  test(`a page of jobs of ${bytes} bytes is short, and none is overlooked`, async (t) => {
    const queue = testQueue(t);
    const ids = await lose(queue, count, bytes);
    const seen = new Set<string>();
    let cursor = '0';
    do {
      const args = ['jobs', cursor, 1000];
      const [next, page] = await queue.broker.run<[string, string[]]>('page', 0, args);
      assert.ok(page.length * bytes < MOST_BYTES, `${page.length} jobs`);
      for (const id of page) seen.add(id);
      cursor = next;
    } while (cursor !== '0');
    assert.deepEqual(seen, ids);
  });
}

test('few large jobs are mended in one call, and all in the end', async (t) => {
  const queue = testQueue(t);
  const bytes = 1024 * 1024;
  const ids = await lose(queue, 20, bytes);
  const [seen] = await queue.broker.run<[number]>('repair', 0, [200_000, ...ids]);
  assert.ok(seen > 0 && seen * bytes < MOST_BYTES, `${seen} jobs`);
  assert.equal((await repair(0, queue.broker, never)).ids.length, ids.size - seen);
});

test('a search that is called off reads no further', async (t) => {
  const queue = testQueue(t);
  await lose(queue, 40, 1024 * 1024);
  const { broker } = queue;
  const controller = new AbortController();
  const run = broker.run.bind(broker);
  let pages = 0;
  broker.run = <T>(...args: Parameters<Broker['run']>): Promise<T> => {
    if (args[0] === 'page') pages++;
    if (args[2][0] === 'jobs') controller.abort();
    return run<T>(...args);
  };
  assert.deepEqual((await repair(0, broker, controller.signal)).ids, []);
  assert.ok(pages < 10, `${pages} pages`);
});
