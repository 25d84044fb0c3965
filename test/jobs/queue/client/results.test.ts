import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { Control, EventTail, Results, type Broker } from '../../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../../support/queue/consumers.ts';
import { ownRedis } from '../../../support/stores/own-redis.ts';
import { startFlakyProxy } from '../../../support/stores/flaky-proxy.ts';
import {
  answer,
  redisUrl,
  request,
  short,
  testQueue,
  uuid,
  type TestQueue,
} from '../../../support/queue/scripts.ts';

const SUCCESS = { kind: 'succeeded', result: '7' } as const;
/** Longer than any test may take: who waits is told, and looks no second time by itself. In milliseconds. */
const HOUR_MS = 3_600_000;

const names = (count: number, prefix = 'j') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

async function startResults(
  t: TestContext,
  queue: TestQueue,
  lookEveryMs = HOUR_MS,
  broker = queue.another(),
): Promise<Results> {
  const results = new Results(broker, (error) => t.diagnostic(String(error)), lookEveryMs);
  queue.atEnd(() => results.stop());
  await results.start();
  await tailing(queue, 1);
  return results;
}

/** Resolves once so many connections wait for events of this queue. */
async function tailing(queue: TestQueue, count: number): Promise<void> {
  await eventually('events are awaited', async () => {
    const list = (await queue.redis.client('LIST')) as string;
    const waiting = list
      .split('\n')
      .filter(
        (line) => line.includes(`${queue.prefix}:events`) && / flags=b .* cmd=xread /.test(line),
      );
    return waiting.length === count;
  });
}

async function startTail(
  queue: TestQueue,
  broker = queue.another(),
): Promise<{ ids: string[]; errors: unknown[] }> {
  const ids: string[] = [];
  const errors: unknown[] = [];
  const tail = new EventTail(broker, {
    ended: (some) => void ids.push(...short(some)),
    failed: (error) => void errors.push(error),
  });
  queue.atEnd(() => tail.stop());
  await tail.start();
  await tailing(queue, 1);
  return { ids, errors };
}

test('a result is awaited without asking again and again', async (t) => {
  const queue = testQueue(t);
  const broker = queue.another();
  let looks = 0;
  const run = broker.run.bind(broker);
  broker.run = async <T>(...call: Parameters<Broker['run']>) => {
    const reply = await run<T>(...call);
    if (call[0] === 'status') looks++;
    return reply;
  };
  const results = await startResults(t, queue, HOUR_MS, broker);
  const worker = await startConsumer(queue);
  await queue.broker.enqueue(0, [request('a')]);
  await worker.until(1);
  const pending = results.get(uuid('a'), { timeoutMs: HOUR_MS });
  await eventually('it has looked', () => looks === 2);
  worker.consumer.settle(uuid('a'), SUCCESS);
  const { state, result } = await pending;
  assert.deepEqual([state, result], ['succeeded', '7']);
  assert.equal(looks, 4, 'before and at the start of the wait, at the event, and for the result');
});

test('a wait that is over, a job nobody knows, a dead letter and a revoked job', async (t) => {
  const queue = testQueue(t);
  const results = await startResults(t, queue);
  const worker = await startConsumer(queue);
  await queue.broker.enqueue(
    0,
    names(3).map((name) => request(name)),
  );
  await worker.until(3);
  const startMs = performance.now();
  assert.equal(await answer(results.get(uuid('j0'), { timeoutMs: 200 })), 'RESULT_TIMEOUT');
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs >= 195, `${tookMs} ms`);
  assert.equal(await answer(results.get(uuid('j0'), { timeoutMs: 0 })), 'RESULT_TIMEOUT');
  assert.equal(await answer(results.get(uuid('nobody'), { timeoutMs: 200 })), 'JOB_UNKNOWN');
  const failed = results.get(uuid('j1'), { timeoutMs: HOUR_MS });
  const revoked = results.get(uuid('j2'), { timeoutMs: HOUR_MS });
  worker.consumer.settle(uuid('j1'), { kind: 'failed', reason: { code: 'BROKEN', message: 'no' } });
  await new Control(queue.broker).revoke([uuid('j2')], 'enough');
  const ends = await Promise.all([failed, revoked]);
  assert.deepEqual(
    ends.map(({ state, reason }) => [state, reason]),
    [
      ['failed', { code: 'BROKEN', message: 'no' }],
      ['revoked', { code: 'REVOKED', message: 'enough' }],
    ],
  );
});

test('an end while a waiter takes its first look is not missed', async (t) => {
  const queue = testQueue(t);
  const results = await startResults(t, queue);
  const worker = await startConsumer(queue, { limit: 200 });
  await queue.broker.enqueue(
    0,
    names(200).map((name) => request(name)),
  );
  await worker.until(200);
  for (const [turn, name] of names(200).entries()) {
    const pending = results.get(uuid(name), { timeoutMs: HOUR_MS });
    for (let i = 0; i < turn % 5; i++) await setImmediate();
    worker.consumer.settle(uuid(name), SUCCESS);
    assert.equal((await pending).result, '7');
  }
});

test('many wait, some for the same job, and each is told', async (t) => {
  const queue = testQueue(t);
  const results = await startResults(t, queue);
  const worker = await startConsumer(queue, { limit: 100, settle: true });
  await new Control(queue.broker).pause('main');
  await queue.broker.enqueue(
    0,
    names(100).map((name) => request(name)),
  );
  const waiters = Array.from({ length: 500 }, (_, i) =>
    results.get(uuid(`j${i % 100}`), { timeoutMs: HOUR_MS }),
  );
  await new Control(queue.broker).resume('main');
  await worker.until(100);
  const ends = await Promise.all(waiters);
  assert.deepEqual(
    ends.map(({ id, state }) => `${short(id)} ${state}`),
    Array.from({ length: 500 }, (_, i) => `@j${i % 100} succeeded`),
  );
});

test('the tail tells the id of every end, between two reads too, in order and once', async (t) => {
  const queue = testQueue(t);
  const { ids } = await startTail(queue);
  const worker = await startConsumer(queue, { limit: 50, settle: true });
  for (let turn = 0; turn < 10; turn++) {
    await queue.broker.enqueue(
      0,
      names(50, `t${turn}-`).map((name) => request(name)),
    );
    await worker.until(50 * (turn + 1));
  }
  await eventually('all were told', () => ids.length >= 500);
  assert.deepEqual(ids, worker.names());
});

test('the tail begins with what ends after its start, and goes on where it was after a broken connection', async (t) => {
  const queue = testQueue(t);
  const worker = await startConsumer(queue, { settle: true });
  await queue.broker.enqueue(0, [request('before')]);
  await eventually('it was told', async () => 'events' in (await queue.read()));
  const proxy = await startFlakyProxy(t, redisUrl());
  const { ids, errors } = await startTail(queue, queue.another({ url: proxy.url }));
  await queue.broker.enqueue(0, [request('a')]);
  await eventually('a is told', () => ids.length === 1);
  await tailing(queue, 1);
  proxy.mode = 'mute';
  await queue.broker.enqueue(0, [request('b'), request('c')]);
  await worker.until(4);
  await eventually(
    'they ended',
    async () => (await queue.redis.llen(queue.broker.key(0, 'done'))) === 4,
  );
  proxy.cut();
  proxy.mode = 'forward';
  await queue.broker.enqueue(0, [request('d')]);
  await eventually('all are told', () => ids.length >= 4);
  assert.deepEqual(ids, ['@a', '@b', '@c', '@d']);
  assert.ok(errors.length > 0);
});

test('many who wait long cost a look for all of them from time to time, not one each', async (t) => {
  const redis = await ownRedis(t);
  const queue = testQueue(t, { url: redis.url });
  const results = await startResults(t, queue, 300);
  await queue.broker.enqueue(
    0,
    names(200).map((name) => request(name)),
  );
  const calls = async () => {
    const stats = await queue.redis.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const waits = names(200).map((name) => results.get(uuid(name), { timeoutMs: HOUR_MS }));
  await eventually('each has looked', async () => (await calls()) > 200);
  const before = await calls();
  await eventually('they have looked again', async () => (await calls()) >= before + 3);
  const cost = (await calls()) - before;
  assert.ok(cost <= 10, `${cost} looks`);
  await results.stop();
  const ends = await Promise.all(waits.map((wait) => answer(wait)));
  assert.deepEqual([...new Set(ends)], ['RESULT_TIMEOUT']);
});
