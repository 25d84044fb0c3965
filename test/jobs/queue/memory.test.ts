import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspector } from '../../../jobs/queue/index.ts';
import { startConsumer } from '../../support/queue/consumers.ts';
import { ownRedis } from '../../support/stores/own-redis.ts';
import { answer, record, request, testQueue, uuid } from '../../support/queue/scripts.ts';
import { step } from '../../support/stores/rows.ts';

test('a Redis out of memory takes no jobs, and lets those that run end', async (t) => {
  const queue = testQueue(t, { url: (await ownRedis(t)).url });
  const { broker, redis } = queue;
  await broker.renew(0, uuid('w'), 60_000, ['main']);
  await broker.enqueue(
    0,
    ['a', 'b', 'c'].map((name) => request(name)),
  );
  await step(broker, { free: 3 });
  await redis.config('SET', 'maxmemory', '1');
  assert.equal(await answer(broker.enqueue(0, [request('d')])), 'QUEUE_FULL');
  const { lost } = await step(broker, {
    seq: 2,
    succeeded: ['@a', `r1{"q":"main","n":"work","c":T,"f":T,"d":"00"}\n1`],
    back: ['@b', 60_000, '1:0:'],
    failed: ['@c', '{"code":"BROKEN"}'],
  });
  assert.deepEqual(lost, []);
  await broker.renew(0, uuid('w'), 60_000);
  assert.equal(await broker.leave(0, uuid('w')), 0);
  const states = await new Inspector(broker).statuses(['a', 'b', 'c', 'd'].map(uuid));
  assert.deepEqual(
    states.map(({ state }) => state),
    ['succeeded', 'retrying', 'failed', 'unknown'],
  );
  assert.equal((states[2]!.job ?? { payload: '' }).payload, record('c').split('\n')[1]);
  await redis.config('SET', 'maxmemory', '0');
});

test('a worker starts though Redis is out of memory, as long as the queue was described before', async (t) => {
  const queue = testQueue(t, { url: (await ownRedis(t)).url, shards: 2 });
  const { redis } = queue;
  await queue.broker.open();
  await queue.broker.enqueue(0, [request('a')]);
  const before = [await queue.read(0), await queue.read(1)];
  await redis.config('SET', 'maxmemory', '1');
  await queue.another().open();
  assert.deepEqual([await queue.read(0), await queue.read(1)], before);
  const worker = await startConsumer(queue, { settle: true }, queue.another());
  await worker.until(1);
  assert.deepEqual(worker.names(), ['@a']);
  await worker.consumer.drain();
  assert.equal((await new Inspector(queue.broker).status(uuid('a'))).state, 'succeeded');
  await redis.config('SET', 'maxmemory', '0');
});

test('another retention is written down though Redis is out of memory, and what runs can end', async (t) => {
  const queue = testQueue(t, { url: (await ownRedis(t)).url });
  const { redis } = queue;
  await queue.broker.open();
  const worker = await startConsumer(queue);
  await queue.broker.enqueue(0, [request('a'), request('b')]);
  await worker.until(2);
  await redis.config('SET', 'maxmemory', '1');
  await queue.another({ keep: { count: 1, ms: 5000, bytes: 100 } }).open();
  const kept = { keepCount: '1', keepMs: '5000', keepBytes: '100' };
  const meta = { shards: '1', ...kept, failedCount: '10000', failedMs: '2592000000' };
  assert.deepEqual((await queue.read())['meta'], meta);
  assert.equal(await answer(queue.broker.enqueue(0, [request('c')])), 'QUEUE_FULL');
  worker.consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  worker.consumer.settle(uuid('b'), { kind: 'failed', reason: { code: 'BROKEN' } });
  await worker.consumer.drain();
  const statuses = await new Inspector(queue.broker).statuses(['a', 'b'].map(uuid));
  assert.deepEqual(
    statuses.map(({ state }) => state),
    ['succeeded', 'failed'],
  );
  assert.deepEqual(worker.errors, []);
  await redis.config('SET', 'maxmemory', '0');
});

test('the limits of the last process to open the queue hold, and only they are written', async (t) => {
  const queue = testQueue(t);
  await queue.broker.open();
  const kept = { keepCount: '10000', keepMs: '86400000', keepBytes: '67108864' };
  const meta = { shards: '1', ...kept, failedCount: '10000', failedMs: '2592000000' };
  assert.deepEqual(await queue.read(), { meta });
  await queue.another({ keep: { ms: 1000 } }).open();
  assert.deepEqual(await queue.read(), { meta: { ...meta, keepMs: '1000' } });
  assert.equal(await answer(queue.another({ shards: 2 }).open()), 'SHARDS_MISMATCH');
  assert.deepEqual(await queue.read(), { meta: { ...meta, keepMs: '1000' } });
});
