/**
 * Large jobs are never handed over, and no answer of Redis has more of them than can be sent before its deadline.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { Control, Producer } from '../../../jobs/queue/index.ts';
import { breakInbox, eventually, startConsumer } from '../../support/queue/consumers.ts';
import { measuringBroker } from '../../support/queue/measuring-broker.ts';
import { ownRedis } from '../../support/stores/own-redis.ts';
import {
  record,
  request,
  short,
  testQueue,
  uuid,
  type TestQueue,
} from '../../support/queue/scripts.ts';
import { step, stepReply, testRows } from '../../support/stores/rows.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** 8 MiB of records, and what goes with them. */
const MOST = 8.5 * MIB;

const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

/** Bytes of a record without its payload, as long as its time is 13 digits. */
const HEADER = 'v1{"q":"main","p":5,"n":"work","c":1234567890123}\n'.length;

/** A job whose record has exactly that many bytes. */
const sized = (bytes: number) => ({ payload: `"${'x'.repeat(bytes - HEADER - 2)}"` });

const IDLE = { 'idle:main': { '@v': 'T-60s', '@w': 'T-5s' }, free: { '@v': '5', '@w': '5' } };
const LARGEST = sized(32 * KIB);
const LARGE = sized(32 * KIB + 1);

describe('a job above 32 KiB', () => {
  testRows([
    {
      name: 'goes into line, and an idle worker is told to look',
      before: IDLE,
      call: (broker) => broker.enqueue(0, [request('a', LARGE)]),
      reply: ['added'],
      after: {
        jobs: { '@a': record('a', LARGE) },
        'wait:main:5': ['@a'],
        'inbox:@v': ['c'],
        'idle:main': { '@w': 'T-5s' },
        free: { '@w': '5' },
        queues: ['main'],
      },
    },
    {
      name: 'is one byte larger than one that is handed over',
      before: { 'idle:main': { '@v': 'T-60s' }, free: { '@v': '1' } },
      call: async (broker) => {
        await broker.enqueue(0, [request('a', LARGEST)]);
        return broker.redis.lrange(broker.key(0, `inbox:${uuid('v')}`), 0, -1);
      },
      reply: [`j@a\n${record('a', LARGEST)}`],
      after: {
        jobs: { '@a': record('a', LARGEST) },
        'lease:@v': ['@a'],
        'inbox:@v': [`j@a\n${record('a', LARGEST)}`],
        'idle:main': { '@v': 'T+999940s' },
        free: { '@v': '0' },
        queues: ['main'],
      },
    },
    {
      name: 'has what came before it handed over, and what came after it behind it',
      before: { 'idle:main': { '@v': 'T-60s' }, free: { '@v': '5' } },
      call: (broker) =>
        broker.enqueue(0, [request('a'), request('b'), request('big', LARGE), request('c')]),
      reply: ['added', 'added', 'added', 'added'],
      after: {
        jobs: {
          '@a': record('a'),
          '@b': record('b'),
          '@big': record('big', LARGE),
          '@c': record('c'),
        },
        'wait:main:5': ['@big', '@c'],
        'lease:@v': ['@a', '@b'],
        'inbox:@v': [`j@a\n${record('a')}`, `j@b\n${record('b')}`, 'c'],
        queues: ['main'],
      },
    },
    {
      name: 'that is given back goes to the head of its line',
      before: {
        workers: { '@w': 'T+60s' },
        jobs: { '@big': record('big', LARGE), '@c': record('c') },
        'lease:@w': ['@big'],
        'wait:main:5': ['@c'],
        'idle:main': { '@v': 'T-5s' },
        free: { '@v': '1' },
      },
      call: (broker) => step(broker, { back: ['@big', 0, ''] }),
      reply: stepReply(),
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@big': record('big', LARGE), '@c': record('c') },
        'wait:main:5': ['@big', '@c'],
        'inbox:@v': ['c'],
        'replies:@w': { 1: '|', last: '1' },
      },
    },
  ]);
});

/** On a Redis of its own: so much at a time would hold up the tests beside this one. */
const ownQueue = async (t: TestContext) => testQueue(t, { url: (await ownRedis(t)).url });

test('of twenty jobs of 1 MiB a worker with a hundred idle slots is handed none', async (t) => {
  const queue = await ownQueue(t);
  await queue.broker.renew(0, uuid('w'), 60_000, ['main']);
  await step(queue.broker, { free: 100 });
  const producer = new Producer(queue.broker);
  await Promise.all(names(20).map((name) => producer.enqueue(request(name, sized(MIB)))));
  assert.deepEqual(await queue.redis.lrange(queue.broker.key(0, `inbox:${uuid('w')}`), 0, -1), [
    'c',
  ]);
  assert.equal(await queue.redis.llen(queue.broker.key(0, 'wait:main:5')), 20);
});

test('twenty jobs of 1 MiB reach a consumer with a hundred idle slots, a few at a time', async (t) => {
  const queue = await ownQueue(t);
  const broker = measuringBroker(queue);
  const worker = await startConsumer(queue, { limit: 100 }, broker);
  await eventually('idle', async () => 'free' in (await queue.read()));
  const producer = new Producer(queue.broker);
  await Promise.all(names(20).map((name) => producer.enqueue(request(name, sized(MIB)))));
  await worker.until(20);
  assert.equal(new Set(worker.names()).size, 20);
  assert.ok(worker.delivered.every(({ job }) => job.payload === sized(MIB).payload));
  assert.ok(broker.largest <= MOST, `${broker.largest} bytes`);
  assert.deepEqual(worker.errors, []);
});

/** Stores jobs of 1 MiB that a worker leases, and of which nobody told it. */
async function lease(queue: TestQueue, worker: string, some: readonly string[]): Promise<void> {
  const { broker, redis } = queue;
  for (const name of some) {
    const text = 'v1{"q":"main","p":5,"n":"work","c":1}\n'.padEnd(MIB, '7');
    await redis.hset(broker.key(0, 'jobs'), uuid(name), text);
  }
  await redis.sadd(broker.key(0, `lease:${worker}`), ...some.map(uuid));
}

test('twenty leased jobs of 1 MiB are read in several answers, in order; those not leased are left out', async (t) => {
  const queue = await ownQueue(t);
  const broker = measuringBroker(queue);
  const ids = names(22).map(uuid);
  await lease(queue, uuid('w'), names(22));
  await queue.redis.srem(broker.key(0, `lease:${uuid('w')}`), uuid('n0'), uuid('n9'));
  await queue.redis.hset(broker.key(0, 'counts'), uuid('n1'), '1:0:');
  const leased = await broker.leased(0, uuid('w'), ids);
  assert.deepEqual(
    short(leased.map(({ id }) => id)),
    names(22)
      .filter((name) => name !== 'n0' && name !== 'n9')
      .map((name) => `@${name}`),
  );
  assert.ok(leased.every(({ record: text }) => text.length === MIB));
  assert.deepEqual(
    leased.filter(({ counts }) => counts !== '').map(({ id, counts }) => [short(id), counts]),
    [['@n1', '1:0:']],
  );
  assert.equal(broker.answers.length, 3);
  assert.ok(broker.largest <= MOST, `${broker.largest} bytes`);
});

test('twenty jobs of 1 MiB of which the message was lost are all delivered by a resync', async (t) => {
  const queue = await ownQueue(t);
  const broker = measuringBroker(queue);
  const worker = await startConsumer(queue, { limit: 40 }, broker);
  await eventually('idle', async () => 'free' in (await queue.read()));
  await lease(queue, worker.consumer.id, names(20));
  await breakInbox(queue, worker);
  await worker.until(20);
  assert.equal(worker.consumer.size, 20);
  assert.equal(new Set(worker.names()).size, 20);
  assert.ok(broker.largest <= MOST, `${broker.largest} bytes`);
});

test('twenty due jobs of 1 MiB get into line a few in each round, and none is forgotten', async (t) => {
  const queue = await ownQueue(t);
  const some = names(20);
  await lease(queue, uuid('w'), some);
  await queue.redis.del(queue.broker.key(0, `lease:${uuid('w')}`));
  const due = some.flatMap((name) => ['1', `5${uuid(name)}`]);
  await queue.redis.zadd(queue.broker.key(0, 'delayed'), ...due);
  const line = queue.broker.key(0, 'wait:main:5');
  for (const lined of [8, 16, 20]) {
    await queue.broker.renew(0, uuid('v'), 60_000, ['other']);
    assert.equal(await queue.redis.llen(line), lined);
  }
  assert.equal(await queue.redis.zcard(queue.broker.key(0, 'delayed')), 0);
});

test('twenty waiting jobs of 1 MiB are purged a few in each call', async (t) => {
  const queue = await ownQueue(t);
  await lease(queue, uuid('w'), names(20));
  await queue.redis.rpush(queue.broker.key(0, 'wait:main:5'), ...names(20).map(uuid));
  const first = await queue.broker.run('purge', 0, [randomUUID(), 'main', 1000]);
  assert.equal(first, 8);
  assert.equal(await new Control(queue.broker).purge('main'), 12);
  assert.equal(await queue.redis.hlen(queue.broker.key(0, 'jobs')), 0);
});
