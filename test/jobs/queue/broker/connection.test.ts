import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { Inspector, Producer } from '../../../../jobs/queue/index.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually, startConsumer, type TestConsumer } from '../../../support/queue/consumers.ts';
import { ownRedis } from '../../../support/stores/own-redis.ts';
import { startFlakyProxy, type FlakyProxy } from '../../../support/stores/flaky-proxy.ts';
import {
  redisUrl,
  request,
  testQueue,
  uuid,
  type TestQueue,
} from '../../../support/queue/scripts.ts';
import { step } from '../../../support/stores/rows.ts';

interface Proxied {
  queue: TestQueue;
  proxy: FlakyProxy;
  worker: TestConsumer;
}

/**
 * A consumer behind a proxy, idle and with nothing under way: its last answer has arrived, and its blocking read has.
 * The queue's own broker goes straight to Redis.
 */
async function behindProxy(t: TestContext, limit = 10): Promise<Proxied> {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const broker = queue.another({ url: proxy.url });
  const worker = await startConsumer(queue, { limit }, broker);
  // Stopping asks Redis: where answers are still lost, a test that failed would be long in ending.
  queue.atEnd(async () => heal(proxy));
  await eventually('idle', () => queue.redis.exists(queue.broker.key(0, 'free')).then(Boolean));
  // On the same connection, so it is answered after the step that said so.
  await new Inspector(broker).status(uuid('nothing'));
  await eventually('it reads its inbox', () => blocksOnInbox(queue, worker.consumer.id));
  return { queue, proxy, worker };
}

/** Whether Redis holds a blocking read of this worker that has most of its two seconds to go. */
async function blocksOnInbox({ redis }: TestQueue, worker: string): Promise<boolean> {
  const clients = String(await redis.client('LIST')).split('\n');
  const inbox = clients.find((client) => client.includes(`inbox:${worker} `)) ?? '';
  return / idle=0 flags=\S*b\S* /.test(inbox) && inbox.includes(' cmd=blmpop ');
}

const heal = (proxy: FlakyProxy): void => {
  proxy.mode = 'forward';
  proxy.cut();
};

test('flushed scripts are loaded again without anybody noticing', async (t) => {
  const queue = testQueue(t);
  const { broker } = queue;
  const flush = async () => queue.redis.script('FLUSH');
  await flush();
  await broker.renew(0, uuid('w'), 60_000, ['main']);
  await flush();
  assert.deepEqual(await broker.enqueue(0, [request('a')]), ['added']);
  await flush();
  assert.equal((await step(broker, { free: 1 })).claimed.length, 1);
  await flush();
  assert.equal((await new Inspector(broker).status(uuid('a'))).state, 'active');
  await flush();
  assert.equal(await broker.leave(0, uuid('w')), 1);
});

test('a lost answer to enqueue: the promise settles, and the job is there once', async (t) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const producer = new Producer(queue.another({ url: proxy.url }));
  await producer.enqueue(request('first'));
  proxy.mode = 'mute';
  const outcome = producer.enqueue(request('a'));
  const line = queue.broker.key(0, 'wait:main:5');
  await eventually('it was executed', async () => (await queue.redis.llen(line)) === 2);
  heal(proxy);
  assert.equal(await outcome, 'exists');
  assert.equal(await queue.redis.llen(line), 2);
});

test('a lost answer to step: what was settled stays settled, and what was claimed is delivered once', async (t) => {
  const { queue, proxy, worker } = await behindProxy(t, 1);
  await queue.broker.enqueue(0, [request('a'), request('b')]);
  await worker.until(1);
  proxy.mode = 'mute';
  worker.consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  await eventually('executed', () =>
    queue.redis
      .sismember(queue.broker.key(0, `lease:${worker.consumer.id}`), uuid('b'))
      .then(Boolean),
  );
  heal(proxy);
  await worker.until(2);
  worker.consumer.settle(uuid('b'), { kind: 'succeeded', result: '1' });
  await queue.broker.enqueue(0, [request('c')]);
  await worker.until(3);
  assert.deepEqual(worker.names(), ['@a', '@b', '@c']);
  assert.deepEqual(worker.lost, []);
});

test('a job handed over into a connection that breaks is delivered all the same, once', async (t) => {
  const { queue, proxy, worker } = await behindProxy(t);
  proxy.mode = 'mute';
  await queue.broker.enqueue(0, [request('a')]);
  const inbox = queue.broker.key(0, `inbox:${worker.consumer.id}`);
  await eventually('it was read', async () => (await queue.redis.exists(inbox)) === 0);
  heal(proxy);
  await worker.until(1);
  await queue.broker.enqueue(0, [request('b')]);
  await worker.until(2);
  assert.deepEqual(worker.names(), ['@a', '@b']);
});

test('a job given back and handed over again to the same worker survives both answers being lost', async (t) => {
  const { queue, proxy, worker } = await behindProxy(t, 2);
  await queue.broker.enqueue(0, [request('a')]);
  await worker.until(1);
  const seq = async () =>
    queue.redis.hget(queue.broker.key(0, `replies:${worker.consumer.id}`), 'last');
  const before = await seq();
  proxy.mode = 'mute';
  worker.consumer.settle(uuid('a'), { kind: 'back', delayMs: 0 });
  await eventually('executed', async () => (await seq()) !== before);
  heal(proxy);
  await worker.until(2);
  worker.consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  const inspector = new Inspector(queue.broker);
  await eventually(
    'success',
    async () => (await inspector.status(uuid('a'))).state === 'succeeded',
  );
});

test('half-open connections: calls are refused, and work starts after healing', async (t) => {
  const { queue, proxy, worker } = await behindProxy(t);
  const producer = new Producer(queue.another({ url: proxy.url }));
  await producer.enqueue(request('a'));
  await worker.until(1);
  proxy.mode = 'hold';
  await assert.rejects(producer.enqueue(request('b')), { code: 'REDIS_UNAVAILABLE' });
  proxy.mode = 'forward';
  const healedMs = performance.now();
  await eventually('b is added', () =>
    producer.enqueue(request('b')).then(
      () => true,
      () => false,
    ),
  );
  await worker.until(2);
  t.diagnostic(`${Math.round(performance.now() - healedMs)} ms after healing`);
});

test('a Redis killed and started again on its file finds its consumer at work', async (t) => {
  const redis = await ownRedis(t);
  const proxy = await startFlakyProxy(t, redis.url);
  const queue = testQueue(t, { url: proxy.url });
  const worker = await startConsumer(queue, { limit: 1 });
  await queue.broker.enqueue(0, [request('a'), request('b')]);
  await worker.until(1);
  await redis.restart();
  proxy.target = redis.url;
  const restartedMs = performance.now();
  worker.consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  await worker.until(2);
  t.diagnostic(`${Math.round(performance.now() - restartedMs)} ms after it was started`);
  assert.equal((await new Inspector(queue.broker).status(uuid('a'))).state, 'succeeded');
  assert.deepEqual(worker.lost, []);
});

test('a job handed to a read whose connection only the worker knows to be broken is delivered all the same', async (t) => {
  const { queue, proxy, worker } = await behindProxy(t);
  proxy.leaveGhosts();
  await eventually('it reads anew, beside its ghost', async () => {
    const clients = String(await queue.redis.client('LIST')).split('\n');
    const reads = clients.filter((client) => client.includes(`inbox:${worker.consumer.id} `));
    return reads.length === 2 && reads.every((client) => / flags=\S*b\S* /.test(client));
  });
  await new Producer(queue.broker).enqueue(request('ghost'));
  await worker.until(1);
});

test('a master that became a replica is left for the one its address leads to by then', async (t) => {
  const [old, next] = await Promise.all([ownRedis(t), ownRedis(t)]);
  const queue = testQueue(t, { url: next.url });
  const proxy = await startFlakyProxy(t, old.url);
  const worker = await startConsumer(queue, { limit: 1 }, queue.another({ url: proxy.url }));
  const producer = new Producer(queue.another({ url: proxy.url }));
  await producer.enqueue(request('a'));
  await worker.until(1);

  const demoted = new Redis(old.url);
  atEnd(t, () => demoted.disconnect());
  await demoted.config('SET', 'repl-diskless-sync-delay', '0');
  const port = (url: string) => Number(new URL(url).port);
  await queue.redis.replicaof('127.0.0.1', port(old.url));
  await eventually('it is copied', async () =>
    (await queue.redis.info('replication')).includes('master_link_status:up'),
  );
  await queue.redis.replicaof('NO', 'ONE');
  await demoted.replicaof('127.0.0.1', port(next.url));
  proxy.target = next.url;

  worker.consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  await eventually('b is added', () =>
    producer.enqueue(request('b')).then(
      () => true,
      () => false,
    ),
  );
  await worker.until(2);
  assert.equal((await new Inspector(queue.broker).status(uuid('a'))).state, 'succeeded');
  assert.deepEqual(worker.lost, []);
});
