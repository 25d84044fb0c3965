import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspector, Producer } from '../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../support/queue/consumers.ts';
import { stretched } from '../../support/patience.ts';
import { redisUrl, request, testQueue, uuid } from '../../support/queue/scripts.ts';
import { startWorker, workerLog } from '../../support/threads/worker-processes.ts';

const LEASE_MS = stretched(500);
const LONG_MS = 3_600_000;

test('the jobs of a killed worker run elsewhere, marked as suspects', async (t) => {
  const queue = testQueue(t);
  const log = workerLog(t);
  const producer = new Producer(queue.broker);
  const worker = await startWorker(t, {
    url: redisUrl(),
    prefix: queue.prefix,
    limit: 2,
    leaseMs: LEASE_MS,
    workMs: LONG_MS,
    log: log.file,
    talk: true,
  });
  await producer.enqueue(request('a'));
  await producer.enqueue(request('b'));
  await worker.until(() => worker.started.length === 2);
  const startMs = Date.now();
  const reaped: [string, number][] = [];
  const peer = await startConsumer(queue, {
    leaseMs: LEASE_MS,
    settle: true,
    reaped: (id, jobs) => reaped.push([id, jobs]),
  });
  // A worker reaps only after a whole lease of its own good heartbeats.
  await eventually('the peer is trusted', async () => {
    const beats = await queue.redis.zscore(queue.broker.key(0, 'workers'), peer.consumer.id);
    return Number(beats) > startMs + 2 * LEASE_MS;
  });
  worker.kill('SIGKILL');
  await peer.until(2);
  await eventually('the reap is told', () => reaped.length > 0);
  assert.deepEqual(reaped, [[worker.id, 2]]);
  assert.deepEqual(
    peer.delivered.map(({ counts: { attempts, deaths, mark } }) => `${attempts}:${deaths}:${mark}`),
    ['0:0:s', '0:0:s'],
  );
  assert.deepEqual(peer.names().toSorted(), ['@a', '@b']);
});

test('a worker that was stopped for three leases loses its jobs, knows it, and works again', async (t) => {
  const queue = testQueue(t);
  const log = workerLog(t);
  const producer = new Producer(queue.broker);
  const worker = await startWorker(t, {
    url: redisUrl(),
    prefix: queue.prefix,
    limit: 2,
    leaseMs: LEASE_MS,
    workMs: 4 * LEASE_MS,
    log: log.file,
    talk: true,
  });
  await producer.enqueue(request('a'));
  await worker.until(() => worker.started.length === 1);
  worker.kill('SIGSTOP');
  const peer = await startConsumer(queue, { leaseMs: LEASE_MS, limit: 1 });
  await peer.until(1);
  worker.kill('SIGCONT');
  await worker.until(() => worker.lost.length === 1);
  assert.deepEqual(worker.lost, [uuid('a')]);
  // The peer is full, so only the worker that came back can take these.
  await producer.enqueue(request('b'));
  await worker.until(() => worker.started.length === 2);
  const inspector = new Inspector(queue.broker);
  const stateOf = async (name: string) => (await inspector.status(uuid(name))).state;
  await eventually('b succeeded', async () => (await stateOf('b')) === 'succeeded');
  assert.equal(await stateOf('a'), 'active', 'what the stopped worker did counts for nothing');
  peer.consumer.settle(uuid('a'), { kind: 'succeeded', result: '2' });
  await eventually('a succeeded', async () => (await stateOf('a')) === 'succeeded');
  assert.equal((await inspector.status(uuid('a'))).result, '2');
});

test('a worker reaped on one shard keeps what it holds on the others', async (t) => {
  const queue = testQueue(t, { shards: 2 });
  await queue.broker.open();
  const { consumer, until, delivered, lost } = await startConsumer(queue, {
    leaseMs: stretched(1500),
  });
  const name = (shard: number) =>
    ['a', 'b', 'c', 'd', 'e'].find((n) => queue.broker.shardOf(uuid(n)) === shard)!;
  await queue.broker.enqueue(0, [request(name(0))]);
  await queue.broker.enqueue(1, [request(name(1))]);
  await until(2);
  await queue.redis.zadd(queue.broker.key(0, 'workers'), '1', consumer.id);
  await queue.broker.reap(0);
  await until(3);
  assert.deepEqual(lost, [`@${name(0)}`]);
  assert.equal(delivered[2]!.job.id, uuid(name(0)));
  for (const shard of [0, 1])
    consumer.settle(uuid(name(shard)), { kind: 'succeeded', result: '1' });
  const inspector = new Inspector(queue.broker);
  await eventually('both succeeded', async () => {
    const states = await inspector.statuses([uuid(name(0)), uuid(name(1))]);
    return states.every(({ state }) => state === 'succeeded');
  });
});

test('after Redis lost everything a worker begins anew, and the limits of the queue stand again', async (t) => {
  const queue = testQueue(t, { keep: { count: 1 } });
  await queue.broker.open();
  const { meta } = await queue.read();
  const worker = await startConsumer(queue, { leaseMs: LEASE_MS, settle: true });
  await queue.load({});
  const inspector = new Inspector(queue.broker);
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    await queue.broker.enqueue(0, [request(name)]);
    await worker.until(index + 1);
    await eventually(
      'it ended',
      async () => (await inspector.status(uuid(name))).state === 'succeeded',
    );
  }
  const state = await queue.read();
  assert.deepEqual([state['meta'], state['done']], [meta, ['@c']]);
});
