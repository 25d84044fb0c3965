import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Control, Inspector, Producer } from '../../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../../support/queue/consumers.ts';
import {
  request,
  testQueue,
  uuid,
  type State,
  type TestQueue,
} from '../../../support/queue/scripts.ts';

/** A lease so long that no heartbeat looks for jobs while a test runs. */
const HOUR_MS = 3_600_000;

const names = (count: number, prefix = 'j') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

const waitsIdle = (queue: TestQueue, slots: string) => async () =>
  Object.values(((await queue.read())['free'] ?? {}) as State).includes(slots);

test('jobs added in one turn travel together, and every promise gets its own answer', async (t) => {
  const queue = testQueue(t);
  const producer = new Producer(queue.broker);
  await producer.enqueue(request('j0'));
  const calls = async () =>
    /cmdstat_evalsha:calls=(\d+)/.exec(await queue.redis.info('commandstats'))?.[1];
  const before = Number(await calls());
  const added = names(100).map((name) => producer.enqueue(request(name)));
  const conflict = producer.enqueue(request('j1', { payload: '"other"' }));
  const invalid = producer.enqueue(request('j2', { priority: 11 }));
  await assert.rejects(invalid, { code: 'JOB_OPTION_INVALID' });
  await assert.rejects(conflict, { code: 'JOB_CONFLICT' });
  assert.deepEqual(
    await Promise.all(added),
    names(100).map((_, i) => (i === 0 ? 'exists' : 'added')),
  );
  assert.ok(Number(await calls()) - before < 50, 'far fewer calls than jobs');
  assert.equal(await queue.redis.llen(queue.broker.key(0, 'wait:main:5')), 100);
});

test('an idle consumer is handed jobs without asking, never more than its limit', async (t) => {
  const queue = testQueue(t);
  const { consumer, until, names: delivered } = await startConsumer(queue, { limit: 3 });
  await eventually('idle', waitsIdle(queue, '3'));
  const producer = new Producer(queue.another());
  await Promise.all(names(8).map((name) => producer.enqueue(request(name))));
  await until(3);
  assert.deepEqual(delivered(), ['@j0', '@j1', '@j2']);
  for (let held = 3; held <= 8; held++) {
    assert.equal(consumer.size, 3);
    assert.equal(await queue.redis.scard(queue.broker.key(0, `lease:${consumer.id}`)), 3);
    consumer.settle(uuid(`j${held - 3}`), { kind: 'succeeded', result: '1' });
    if (held < 8) await until(held + 1);
  }
});

test('an idle consumer with more room than a round offers fills all of it', async (t) => {
  const queue = testQueue(t);
  const worker = await startConsumer(queue, { limit: 450 });
  await eventually('idle', waitsIdle(queue, '200'));
  await queue.broker.enqueue(
    0,
    names(500).map((name) => request(name)),
  );
  await eventually('full', () => worker.delivered.length >= 450);
  assert.equal(worker.consumer.size, 450);
  assert.equal(new Set(worker.names()).size, 450);
});

test('a delayed job comes on time though another process added it while the consumer slept', async (t) => {
  const queue = testQueue(t);
  const latenessMs: number[] = [];
  const dueMs = new Map<string, number>();
  await startConsumer(queue, {
    limit: 50,
    leaseMs: HOUR_MS,
    deliver: (deliveries) => {
      for (const { job } of deliveries) latenessMs.push(Date.now() - dueMs.get(job.id)!);
    },
  });
  await eventually('idle', waitsIdle(queue, '50'));
  const producer = new Producer(queue.another());
  for (const [index, name] of names(20).entries()) {
    const delayMs = 400 - index * 15;
    // Redis takes it somewhat later, and counts from then.
    dueMs.set(uuid(name), Date.now() + delayMs);
    await producer.enqueue(request(name, { delayMs }));
  }
  await eventually('all', () => latenessMs.length === 20);
  const earliestMs = Math.min(...latenessMs);
  assert.ok(earliestMs >= -1, `${earliestMs} ms`);
});

test('a delayed job comes on time though the clock of Redis is an hour ahead', async (t) => {
  const queue = testQueue(t, { clockOffsetMs: 3_600_000 });
  const { until } = await startConsumer(queue, { leaseMs: HOUR_MS });
  await eventually('idle', waitsIdle(queue, '10'));
  const startMs = performance.now();
  await new Producer(queue.another()).enqueue(request('a', { delayMs: 300 }));
  await until(1);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs > 290, `${tookMs} ms`);
});

test('a drain waits for what runs and claims nothing more; a stop gives the rest back uncharged', async (t) => {
  const queue = testQueue(t);
  const { consumer, until, delivered } = await startConsumer(queue, { limit: 2 });
  const producer = new Producer(queue.broker);
  await Promise.all(names(4).map((name) => producer.enqueue(request(name))));
  await until(2);
  let drained = false;
  const drain = consumer.drain().then(() => (drained = true));
  consumer.settle(uuid('j0'), { kind: 'succeeded', result: '1' });
  await eventually(
    'success',
    async () => (await new Inspector(queue.broker).status(uuid('j0'))).state === 'succeeded',
  );
  assert.equal(drained, false);
  assert.equal(delivered.length, 2);
  await consumer.stop();
  await drain;
  const state = await queue.read();
  assert.deepEqual(state['wait:main:5'], ['@j1', '@j2', '@j3']);
  const owned = Object.keys(state).filter((key) =>
    /^(lease|inbox|replies|idle|free|workers|counts)/.test(key),
  );
  assert.deepEqual(owned, []);
});

test('a drain ends when the last running job is revoked', async (t) => {
  const queue = testQueue(t);
  const { consumer, until, lost } = await startConsumer(queue);
  await new Producer(queue.broker).enqueue(request('a'));
  await until(1);
  const drain = consumer.drain();
  assert.deepEqual(await new Control(queue.broker).revoke([uuid('a')]), ['revoked']);
  await drain;
  assert.deepEqual(lost, ['@a']);
});

test('a job revoked while it lay in the inbox is not delivered', async (t) => {
  const queue = testQueue(t);
  const { consumer, until, names: delivered } = await startConsumer(queue);
  await eventually('idle', waitsIdle(queue, '10'));
  const handed = (name: string) => `j${uuid(name)}\nv1{"q":"main","p":5,"n":"work","c":1}\n1`;
  const inbox = queue.broker.key(0, `inbox:${consumer.id}`);
  await queue.redis.rpush(inbox, handed('a'), `r${uuid('a')}`, handed('b'));
  await until(1);
  assert.deepEqual(delivered(), ['@b']);
});

test('a job settled after the stop does not bring the worker back', async (t) => {
  const queue = testQueue(t);
  const { consumer, until } = await startConsumer(queue);
  await new Producer(queue.broker).enqueue(request('a'));
  await until(1);
  await consumer.stop();
  const { state } = await new Inspector(queue.broker).status(uuid('a'));
  consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  // The answer to a later command: whatever the settlement set off has reached Redis before it.
  for (let i = 0; i < 10; i++) await queue.broker.redis.ping();
  assert.equal(state, 'pending');
  assert.equal('workers' in (await queue.read()), false);
});

test('jobs given back together keep their order', async (t) => {
  const queue = testQueue(t);
  const { consumer, until } = await startConsumer(queue, { limit: 3 });
  await queue.broker.enqueue(
    0,
    names(4).map((name) => request(name)),
  );
  await until(3);
  void consumer.drain();
  for (const name of names(3)) consumer.settle(uuid(name), { kind: 'back', delayMs: 0 });
  await eventually(
    'back',
    async () => (await queue.redis.llen(queue.broker.key(0, 'wait:main:5'))) === 4,
  );
  assert.deepEqual((await queue.read())['wait:main:5'], ['@j0', '@j1', '@j2', '@j3']);
});

test('two consumers share, over four shards, and every job runs once', async (t) => {
  const queue = testQueue(t, { shards: 4 });
  await queue.broker.open();
  const one = await startConsumer(queue, { limit: 8, settle: true });
  const two = await startConsumer(queue, { limit: 8, settle: true }, queue.another());
  const producer = new Producer(queue.broker);
  await Promise.all(names(400).map((name) => producer.enqueue(request(name))));
  const ran = () => [...one.names(), ...two.names()];
  await eventually('all', () => ran().length >= 400);
  assert.deepEqual(
    ran().toSorted(),
    names(400)
      .map((name) => `@${name}`)
      .toSorted(),
  );
  assert.ok(one.delivered.length > 0 && two.delivered.length > 0);
  for (let shard = 0; shard < 4; shard++) assert.ok('done' in (await queue.read(shard)));
});
