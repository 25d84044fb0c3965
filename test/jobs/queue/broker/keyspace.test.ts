import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Consumer, Control, Producer, type Delivery } from '../../../../jobs/queue/index.ts';
import { repair } from '../../../../jobs/queue/worker/repair.ts';
import { documentedKeys, undocumented } from '../../../support/queue/keyspace.ts';
import { request, testQueue, uuid } from '../../../support/queue/scripts.ts';

test('the table of keys is read whole', () => {
  const rows = documentedKeys();
  assert.ok(rows.length >= 19, `${rows.length} rows`);
  const types = new Set(rows.map(({ type }) => type));
  assert.deepEqual([...types].toSorted(), ['hash', 'list', 'set', 'stream', 'string', 'zset']);
  assert.ok(rows.some(({ pattern }) => pattern.test('wait:a.b-c_1:9')));
  assert.ok(!rows.some(({ pattern }) => pattern.test('wait:a:10')));
  assert.ok(!rows.some(({ pattern }) => pattern.test('jobs2')));
});

test('a key nobody described, or of another type, is noticed', async (t) => {
  const { redis, prefix } = testQueue(t);
  const keys = [`${prefix}:{s0}:jobs`, `${prefix}:{s0}:job`, `${prefix}:{s1}:meta`];
  await redis.set(keys[0]!, '1');
  await redis.set(keys[1]!, '1');
  await redis.hset(keys[2]!, 'shards', '1');
  const strangers = await undocumented(redis, keys, prefix);
  await redis.del(...keys);
  assert.deepEqual(strangers, ['jobs (string)', 'job (string)']);
});

test('a run that uses everything writes documented keys, and stopping leaves none of a worker', async (t) => {
  const queue = testQueue(t);
  const { broker, redis, prefix } = queue;
  await broker.open();
  const events = new EventEmitter();
  const seen = new Set<string>();
  const held: Delivery[] = [];
  const consumer = new Consumer(broker, {
    queues: ['main', 'two'],
    limit: 8,
    leaseMs: 60_000,
    deliver: (deliveries) => {
      held.push(...deliveries);
      events.emit('delivered');
    },
  });
  const look = async (): Promise<void> => {
    const keys = await redis.keys(`${prefix}:*`);
    assert.deepEqual(await undocumented(redis, keys, prefix), []);
    for (const key of keys) {
      const name = key.slice(`${prefix}:{s0}:`.length);
      seen.add(documentedKeys().find(({ pattern }) => pattern.test(name))!.name);
    }
  };
  const holding = async (count: number): Promise<void> => {
    while (held.length < count) await once(events, 'delivered');
  };
  const control = new Control(broker);
  const producer = new Producer(broker);
  await consumer.start();
  await producer.enqueue(request('a'));
  await holding(1);
  await control.pause('two');
  await control.revoke([uuid('nobody')]);
  await producer.enqueue(request('waiting', { queue: 'two' }));
  await producer.enqueue(request('later', { delayMs: 3_600_000 }));
  consumer.progress(uuid('a'), '1');
  assert.ok(await consumer.mark(uuid('a'), { attempts: 1, deaths: 0, mark: 'r' }));
  // A worker that never reads its inbox.
  await broker.renew(0, uuid('dead'), 60_000, ['main']);
  await redis.rpush(broker.key(0, `inbox:${uuid('dead')}`), 'c');
  await broker.run('reply', 0, [uuid('call'), `${uuid('dead')}\n{"answer":1}`]);
  await look();
  await producer.enqueue(request('b'));
  await producer.enqueue(request('c'));
  await holding(3);
  consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  consumer.settle(uuid('b'), { kind: 'failed', reason: { code: 'BROKEN' } });
  consumer.settle(uuid('c'), { kind: 'succeeded', result: '2' });
  await consumer.drain();
  await look();
  await consumer.stop();
  await broker.leave(0, uuid('dead'));
  assert.deepEqual((await repair(0, broker, new AbortController().signal)).ids, []);
  await look();
  assert.deepEqual(
    [...seen].toSorted(),
    documentedKeys()
      .map(({ name }) => name)
      .toSorted(),
  );
  const memos = ['answer', 'reply'].map((name) => redis.keys(`${prefix}:{s0}:${name}:*`));
  for (const key of (await Promise.all(memos)).flat()) {
    const livesS = await redis.ttl(key);
    assert.ok(livesS > 0 && livesS <= 60, `${livesS} s`);
  }
  const left = Object.keys(await queue.read());
  assert.equal(
    left.join(' '),
    'delayed done doneBytes events failed jobs looked marks meta paused queues wait:two:5',
  );
});
