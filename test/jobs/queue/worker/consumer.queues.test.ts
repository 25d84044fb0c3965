import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Control, Inspector } from '../../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../../support/queue/consumers.ts';
import { startFlakyProxy } from '../../../support/stores/flaky-proxy.ts';
import { lossyBroker } from '../../../support/queue/lossy-broker.ts';
import {
  answer,
  redisUrl,
  request,
  testQueue,
  uuid,
  type TestQueue,
} from '../../../support/queue/scripts.ts';

const isIdle =
  (queue: TestQueue, name: string, worker: string, shard = 0) =>
  async () =>
    (await queue.redis.zscore(queue.broker.key(shard, `idle:${name}`), worker)) !== null;

test('an added queue is served at once: what waits there and what comes', async (t) => {
  const queue = testQueue(t);
  const { consumer, until, names } = await startConsumer(queue);
  await queue.broker.enqueue(0, [request('waiting', { queue: 'two' })]);
  await consumer.addQueue('two');
  await until(1);
  await eventually('idle', isIdle(queue, 'two', consumer.id));
  await queue.broker.enqueue(0, [request('coming', { queue: 'two' })]);
  await until(2);
  assert.deepEqual(names(), ['@waiting', '@coming']);
  const { workers } = await new Inspector(queue.broker).overview();
  assert.deepEqual(workers[0]?.queues, ['main', 'two']);
});

test('nothing of a cancelled queue is handed over or claimed, what runs goes on, other queues too', async (t) => {
  const queue = testQueue(t);
  const { consumer, until, names } = await startConsumer(queue, { queues: ['main', 'two'] });
  await queue.broker.enqueue(0, [request('running', { queue: 'two' })]);
  await until(1);
  await eventually('idle', isIdle(queue, 'two', consumer.id));
  await consumer.cancelQueue('two');
  const state = await queue.read();
  assert.equal('idle:two' in state, false, 'its entry is gone with the call');
  assert.equal('idle:main' in state, true);
  await queue.broker.enqueue(0, [request('two', { queue: 'two' }), request('main')]);
  await until(2);
  consumer.settle(uuid('running'), { kind: 'succeeded', result: '1' });
  consumer.settle(uuid('main'), { kind: 'succeeded', result: '1' });
  await consumer.drain();
  assert.deepEqual(names(), ['@running', '@main']);
  assert.deepEqual((await queue.read())['wait:two:5'], ['@two']);
  assert.equal((await new Inspector(queue.broker).status(uuid('running'))).state, 'succeeded');
});

test('a round written down before a queue was cancelled claims nothing of it, and registers nobody there', async (t) => {
  const queue = testQueue(t);
  const broker = lossyBroker(queue);
  const { consumer, names, until } = await startConsumer(
    queue,
    { queues: ['main', 'two'] },
    broker,
  );
  await eventually('idle', isIdle(queue, 'two', consumer.id));
  await consumer.cancelQueue('two');
  await queue.broker.enqueue(0, [request('two', { queue: 'two' })]);
  const late = { worker: consumer.id, seq: 1000, free: 5, known: 0, queues: ['main', 'two'] };
  const { claimed } = await broker.step(0, { ...late, succeeded: [], back: [], failed: [] });
  assert.deepEqual(claimed, []);
  assert.equal(await isIdle(queue, 'two', consumer.id)(), false);
  await queue.broker.enqueue(0, [request('main')]);
  await until(1);
  assert.deepEqual(names(), ['@main']);
});

test('a job that was on its way when its queue was cancelled goes back to the head of its line, uncharged', async (t) => {
  const queue = testQueue(t);
  const { consumer, names } = await startConsumer(queue, { queues: ['main', 'two'] });
  await eventually('idle', isIdle(queue, 'two', consumer.id));
  await queue.broker.enqueue(0, [request('two', { queue: 'two' })]);
  await consumer.cancelQueue('two');
  await consumer.addQueue('three');
  const status = async () => (await new Inspector(queue.broker).status(uuid('two'))).state;
  await eventually('it is settled', async () =>
    names().length === 1 ? true : (await status()) === 'pending',
  );
  // Either it was delivered before the cancellation, or it waits; it is never lost or charged.
  const { counts } = await new Inspector(queue.broker).status(uuid('two'));
  assert.deepEqual(counts, { attempts: 0, deaths: 0, mark: '' });
});

test('a job read from the inbox after its queue was cancelled is not delivered', async (t) => {
  const queue = testQueue(t);
  const { consumer, names, until } = await startConsumer(queue, { queues: ['main', 'two'] });
  await eventually('idle', isIdle(queue, 'two', consumer.id));
  await consumer.cancelQueue('two');
  const text = 'v1{"q":"two","p":5,"n":"work","c":1}\n1';
  const key = (name: string) => queue.broker.key(0, name);
  await queue.redis.hset(key('jobs'), uuid('late'), text);
  await queue.redis.sadd(key(`lease:${consumer.id}`), uuid('late'));
  await queue.redis.rpush(key(`inbox:${consumer.id}`), `j${uuid('late')}\n${text}`);
  await eventually('it waits', async () => (await queue.redis.llen(key('wait:two:5'))) === 1);
  await queue.broker.enqueue(0, [request('main')]);
  await until(1);
  assert.deepEqual(names(), ['@main']);
});

test('a worker may serve no queue for a while, on every shard', async (t) => {
  const queue = testQueue(t, { shards: 2 });
  await queue.broker.open();
  const { consumer, until } = await startConsumer(queue, { settle: true });
  await consumer.cancelQueue('main');
  await consumer.cancelQueue('main');
  for (const shard of [0, 1])
    assert.equal(await isIdle(queue, 'main', consumer.id, shard)(), false);
  const { workers } = await new Inspector(queue.broker).overview();
  assert.deepEqual(workers[0]?.queues, []);
  const ids = [request('a'), request('b'), request('c'), request('d')];
  for (const one of ids) await queue.broker.enqueue(queue.broker.shardOf(one.id), [one]);
  await consumer.addQueue('main');
  await until(4);
});

test('queues changed while Redis is away are told by a later heartbeat', async (t) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const broker = queue.another({ url: proxy.url });
  const { consumer } = await startConsumer(queue, { leaseMs: 600 }, broker);
  const { target } = proxy;
  proxy.target = 'redis://127.0.0.1:1';
  proxy.cut();
  await assert.rejects(consumer.addQueue('two'), { code: 'REDIS_UNAVAILABLE' });
  proxy.target = target;
  await eventually('it serves the queue', isIdle(queue, 'two', consumer.id));
});

test('a worker that begins anew after a FLUSHALL serves what it served last', async (t) => {
  const queue = testQueue(t);
  const { consumer } = await startConsumer(queue, { leaseMs: 300 });
  await consumer.addQueue('two');
  await consumer.cancelQueue('main');
  await queue.load({});
  await eventually('it serves the queue', isIdle(queue, 'two', consumer.id));
  assert.equal(await isIdle(queue, 'main', consumer.id)(), false);
});

test('names of queues are checked', async (t) => {
  const queue = testQueue(t);
  const { consumer } = await startConsumer(queue);
  await assert.rejects(consumer.addQueue('a,b'), { code: 'JOB_OPTION_INVALID' });
  assert.deepEqual(consumer.queues, ['main']);
});

test('an abandoned worker gives everything back at once, uncharged, and others get it', async (t) => {
  const queue = testQueue(t, { shards: 2 });
  await queue.broker.open();
  const first = await startConsumer(queue);
  const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => request(name));
  for (const job of jobs) await queue.broker.enqueue(queue.broker.shardOf(job.id), [job]);
  await first.until(5);
  first.consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  await first.consumer.mark(uuid('b'), { attempts: 1, deaths: 1, mark: 'r' });
  // It waits for jobs that never end here; who abandons them does not.
  void first.consumer.drain();
  await first.consumer.abandon();
  const second = await startConsumer(queue);
  await second.until(4);
  const inspector = new Inspector(queue.broker);
  assert.equal((await inspector.status(uuid('a'))).state, 'succeeded');
  for (const { job, counts } of second.delivered) {
    const suspect = job.id === uuid('b');
    const expected = suspect
      ? { attempts: 1, deaths: 1, mark: 's' }
      : { attempts: 0, deaths: 0, mark: '' };
    assert.deepEqual(counts, expected);
  }
  // What it says later counts for nothing, and does not bring it back.
  first.consumer.settle(uuid('c'), { kind: 'succeeded', result: '1' });
  await first.consumer.stop();
  assert.equal((await inspector.status(uuid('c'))).state, 'active');
  assert.equal((await inspector.overview()).workers.length, 1);
  await new Control(queue.broker).revoke(jobs.map(({ id }) => id));
});

test('abandoning does not wait for the answers of a Redis that does not answer', async (t) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const broker = queue.another({ url: proxy.url });
  const { consumer, until } = await startConsumer(queue, {}, broker);
  queue.atEnd(async () => {
    proxy.mode = 'forward';
    proxy.cut();
  });
  await queue.broker.enqueue(0, [request('a')]);
  await until(1);
  proxy.mode = 'hold';
  // Any other call ends with its deadline, three seconds later.
  const other = answer(new Inspector(broker).status(uuid('a')));
  assert.equal(await Promise.race([other, consumer.abandon()]), undefined);
});
