import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  breakInbox,
  eventually,
  startConsumer,
  type TestConsumer,
} from '../../support/queue/consumers.ts';
import { startFlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { lossyBroker, type LossyBroker } from '../../support/queue/lossy-broker.ts';
import {
  redisUrl,
  request,
  short,
  testQueue,
  uuid,
  type TestQueue,
} from '../../support/queue/scripts.ts';

/** Heartbeats, which send unanswered rounds again, come every third of it. */
const LEASE_MS = 600;
const SUCCESS = { kind: 'succeeded', result: '1' } as const;

const names = (count: number, prefix = 'j') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const requests = (count: number, prefix?: string) =>
  names(count, prefix).map((name) => request(name));
const distinct = ({ names: delivered }: TestConsumer) => new Set(delivered()).size;

/** Ids that ended, in order; each once, if all is well. */
async function ended(queue: TestQueue): Promise<string[]> {
  return short(await queue.redis.lrange(queue.broker.key(0, 'done'), 0, -1));
}

/** A round that still asks for jobs would be one of the two that may be on their way. */
const atRest = (broker: LossyBroker) =>
  eventually('no round is on its way', () => broker.onTheirWay === 0);

/** Settles half of the jobs, and the others once the round for those is on its way: two rounds. */
async function settleInTwo({ consumer }: TestConsumer, jobs: readonly string[]): Promise<void> {
  const half = jobs.length / 2;
  for (const name of jobs.slice(0, half)) consumer.settle(uuid(name), SUCCESS);
  await Promise.resolve();
  for (const name of jobs.slice(half)) consumer.settle(uuid(name), SUCCESS);
}

test('the answer to the first of two rounds is lost: all is delivered once and ends once', async (t) => {
  const queue = testQueue(t);
  const broker = lossyBroker(queue);
  await queue.broker.enqueue(0, requests(400));
  broker.loses.add(1);
  const worker = await startConsumer(queue, { limit: 400, leaseMs: LEASE_MS }, broker);
  await worker.until(400);
  assert.equal(distinct(worker), 400);
  await atRest(broker);
  const last = Math.max(...broker.sent.map(({ seq }) => seq));
  broker.loses.add(last + 1);
  broker.most = 0;
  await settleInTwo(worker, names(400));
  await eventually('all ended', async () => (await ended(queue)).length >= 400);
  await eventually(
    'all is answered',
    () => broker.sent.filter(({ seq }) => seq === last + 1).length === 2,
  );
  await worker.consumer.drain();
  assert.equal(broker.most, 2);
  assert.equal((await ended(queue)).length, 400);
  assert.equal(new Set(await ended(queue)).size, 400);
  assert.deepEqual([worker.delivered.length, worker.lost], [400, []]);
});

test('both answers of two rounds are lost with the connection: all ends once', async (t) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const broker = lossyBroker(queue, proxy.url);
  const worker = await startConsumer(queue, { limit: 400, leaseMs: 60_000 }, broker);
  await queue.broker.enqueue(0, requests(400));
  await worker.until(400);
  await atRest(broker);
  proxy.mode = 'mute';
  await settleInTwo(worker, names(400));
  await eventually('both were executed', async () => (await ended(queue)).length === 400);
  proxy.mode = 'forward';
  proxy.cut();
  await queue.broker.enqueue(0, [request('last')]);
  await worker.until(401);
  await worker.consumer.stop();
  assert.equal(new Set(await ended(queue)).size, 400);
  assert.equal((await ended(queue)).length, 400);
  assert.deepEqual([distinct(worker), worker.lost], [401, []]);
});

test('a worker that is unknown to two rounds at once begins anew, and all ends', async (t) => {
  const queue = testQueue(t);
  const broker = lossyBroker(queue);
  const worker = await startConsumer(queue, { limit: 400, leaseMs: 60_000 }, broker);
  await queue.broker.enqueue(0, requests(400));
  await worker.until(400);
  await atRest(broker);
  let open = (): void => undefined;
  broker.gate = new Promise((resolve) => (open = resolve));
  broker.most = 0;
  await settleInTwo(worker, names(300));
  await eventually('two are on their way', () => broker.most === 2);
  await queue.redis.zadd(queue.broker.key(0, 'workers'), '1', worker.consumer.id);
  await queue.broker.reap(0);
  open();
  broker.gate = undefined;
  await worker.until(800);
  assert.deepEqual(
    worker.lost.toSorted(),
    names(400)
      .slice(300)
      .map((name) => `@${name}`)
      .toSorted(),
  );
  assert.equal(new Set(worker.names().slice(400)).size, 400);
  for (const name of names(400)) worker.consumer.settle(uuid(name), SUCCESS);
  await worker.consumer.drain();
  assert.equal((await ended(queue)).length, 400);
  assert.equal(new Set(await ended(queue)).size, 400);
});

/** Leases a job to a worker as if the connection had broken while it was handed over. */
async function strand(queue: TestQueue, worker: TestConsumer, name: string): Promise<void> {
  const { broker, redis } = queue;
  const text = `v1{"q":"main","p":5,"n":"work","c":1}\n1`;
  await redis.hset(broker.key(0, 'jobs'), uuid(name), text);
  await redis.sadd(broker.key(0, `lease:${worker.consumer.id}`), uuid(name));
}

test('a resync waits for the rounds on their way and the answers that were lost', async (t) => {
  const queue = testQueue(t);
  const broker = lossyBroker(queue);
  const worker = await startConsumer(queue, { limit: 4, leaseMs: LEASE_MS }, broker);
  for (let turn = 0; turn < 5; turn++) {
    await queue.broker.enqueue(0, [request(`a${turn}`)]);
    await worker.until(2 * turn + 1);
    await strand(queue, worker, `b${turn}`);
    broker.loses.add(broker.sent.at(-1)!.seq + 1);
    worker.consumer.settle(uuid(`a${turn}`), SUCCESS);
    await breakInbox(queue, worker);
    await worker.until(2 * turn + 2);
    worker.consumer.settle(uuid(`b${turn}`), SUCCESS);
  }
  assert.equal(broker.earlyResyncs, 0);
  assert.equal(distinct(worker), 10);
  assert.equal(broker.loses.size, 0);
});

test('a resync that failed is made again, or what was handed over would lie there for good', async (t) => {
  const queue = testQueue(t);
  const broker = lossyBroker(queue);
  const worker = await startConsumer(queue, { leaseMs: 60_000 }, broker);
  await eventually('idle', () => queue.redis.exists(queue.broker.key(0, 'free')).then(Boolean));
  await strand(queue, worker, 'a');
  broker.refusedResyncs = 2;
  await breakInbox(queue, worker);
  await eventually('a is delivered', () => worker.delivered.length === 1);
  assert.deepEqual(worker.names(), ['@a']);
});

type Action = { do: 'enqueue' | 'settle'; count: number } | { do: 'turn' };

test('two rounds on their way and jobs handed over meanwhile never exceed the limit', async (t) => {
  const limit = 130;
  const count = fc.integer({ min: 1, max: 100 });
  const action: fc.Arbitrary<Action> = fc.oneof(
    fc.record({ do: fc.constant('enqueue' as const), count }),
    fc.record({ do: fc.constant('settle' as const), count }),
    fc.constant({ do: 'turn' as const }),
  );
  let most = 0;
  let fullest = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 60 }), async (history) => {
      const queue = testQueue(t);
      const broker = lossyBroker(queue);
      let tooMany = 0;
      const held: string[] = [];
      const ran = new Set<string>();
      const worker = await startConsumer(
        queue,
        {
          limit,
          deliver: (deliveries) => {
            tooMany = Math.max(tooMany, worker.consumer.size - limit);
            fullest = Math.max(fullest, worker.consumer.size);
            held.push(...deliveries.map(({ job }) => job.id));
            for (const { job } of deliveries) ran.add(job.id);
          },
        },
        broker,
      );
      const settle = (some: number): void => {
        for (const id of held.splice(0, some)) worker.consumer.settle(id, SUCCESS);
      };
      let added = 0;
      const calls: Promise<unknown>[] = [];
      for (const next of history) {
        if (next.do === 'settle') settle(next.count);
        else if (next.do === 'turn') await setImmediate();
        else {
          const jobs = names(next.count, `s${added}-`).map((name) => request(name));
          added += next.count;
          calls.push(queue.broker.enqueue(0, jobs));
        }
      }
      await Promise.all(calls);
      await eventually('all ran', () => {
        settle(held.length);
        return ran.size === added;
      });
      settle(held.length);
      await worker.consumer.stop();
      assert.equal(tooMany, 0, `${tooMany} beyond the limit`);
      assert.equal((await ended(queue)).length, added);
      most = Math.max(most, broker.most);
      await queue.drop();
    }),
    { numRuns: 20, seed: 20_240_607 },
  );
  assert.equal(most, 2, 'two were on their way');
  assert.equal(fullest, limit, 'the limit was reached');
});
