/**
 * Whatever was lost or doubled in Redis is found, and put where it belongs.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Consumer, Inspector, Producer, type Delivery } from '../../../jobs/queue/index.ts';
import { createRepair, repair } from '../../../jobs/queue/repair.ts';
import { eventually } from '../../support/consumers.ts';
import { record, short, testQueue, uuid, type State, type TestQueue } from '../../support/queue.ts';

const never = new AbortController().signal;
const A = record('a');
const RESULT = `r1{"q":"main","p":5,"n":"work","d":"0123456789abcdef"}\n1`;
const DEAD = `f1{"code":"X"}\n${A}`;
const REVOKED = `x1{"code":"JOB_REVOKED"}\n${A}`;
const queues = ['main'];
const workers = { '@w': 'T+60s' };
const line = 'wait:main:5';

const rows: [what: string, before: State, after: State][] = [
  ['in no place: back to its line', { jobs: { '@a': A }, queues }, { [line]: ['@a'] }],
  [
    'leased to a worker that is not registered: back to its line',
    { jobs: { '@a': A }, queues, 'lease:@u': ['@a'] },
    { [line]: ['@a'], 'lease:@u': ['@a'] },
  ],
  [
    'in line and leased: the lease holds',
    { jobs: { '@a': A }, queues, workers, [line]: ['@a'], 'lease:@w': ['@a'] },
    { workers, 'lease:@w': ['@a'] },
  ],
  [
    'delayed and leased: the lease holds',
    { jobs: { '@a': A }, queues, workers, delayed: { '5@a': 'T+60s' }, 'lease:@w': ['@a'] },
    { workers, 'lease:@w': ['@a'] },
  ],
  [
    'delayed and in line: it waits for its time',
    { jobs: { '@a': A }, queues, delayed: { '5@a': 'T+60s' }, [line]: ['@a'] },
    { delayed: { '5@a': 'T+60s' } },
  ],
  [
    'delayed twice, with two priorities: once',
    { jobs: { '@a': A }, queues, delayed: { '5@a': 'T+60s', '3@a': 'T+60s' } },
    { delayed: { '3@a': 'T+60s' } },
  ],
  [
    'leased twice: once',
    {
      jobs: { '@a': A },
      queues,
      workers: { '@w': 'T+60s', '@v': 'T+65s' },
      'lease:@w': ['@a'],
      'lease:@v': ['@a'],
    },
    { workers: { '@w': 'T+60s', '@v': 'T+65s' }, 'lease:@w': ['@a'] },
  ],
  [
    'in line three times: once',
    { jobs: { '@a': A, '@b': record('b') }, queues, [line]: ['@a', '@b', '@a', '@a'] },
    { jobs: { '@a': A, '@b': record('b') }, [line]: ['@a', '@b'] },
  ],
  [
    'a dead letter in no place: among the dead letters',
    { jobs: { '@a': DEAD }, queues },
    { jobs: { '@a': DEAD }, failed: { '@a': 'T' } },
  ],
  [
    'a dead letter in line too: not in line',
    { jobs: { '@a': DEAD }, queues, failed: { '@a': 'T' }, [line]: ['@a'] },
    { jobs: { '@a': DEAD }, failed: { '@a': 'T' } },
  ],
  [
    'a result that nobody would ever drop: remembered with the others',
    { jobs: { '@a': RESULT }, queues },
    {
      jobs: { '@a': RESULT },
      done: ['@a'],
      marks: [`T:1:${RESULT.length}`],
      doneBytes: String(RESULT.length),
    },
  ],
  [
    'a result that is leased: not leased',
    { jobs: { '@a': RESULT }, queues, workers, done: ['@a'], 'lease:@w': ['@a'] },
    { jobs: { '@a': RESULT }, workers, done: ['@a'] },
  ],
  [
    'a revoked job in no place: remembered',
    { jobs: { '@a': REVOKED }, queues },
    { jobs: { '@a': REVOKED }, done: ['@a'] },
  ],
  [
    'an id without a job: in no place',
    {
      jobs: { '@b': record('b') },
      queues,
      workers,
      'lease:@w': ['@a'],
      failed: { '@a': 'T' },
      [line]: ['@b'],
    },
    { jobs: { '@b': record('b') }, workers, [line]: ['@b'] },
  ],
];

/** What a repair is not to touch, as far as the row names it. */
function pick(state: State, like: State): State {
  return Object.fromEntries(Object.keys(like).map((key) => [key, state[key]]));
}

for (const [what, before, after] of rows) {
  test(what, async (t) => {
    const queue = testQueue(t);
    await queue.load(before);
    assert.deepEqual(short(await repair(0, queue.broker, never)), { ids: ['@a'], wasEven: false });
    const state = await queue.read();
    const expected: State = { jobs: { '@a': A }, ...after };
    assert.deepEqual(pick(state, expected), expected);
    for (const place of ['delayed', 'failed', line, 'lease:@w']) {
      if (!(place in expected)) assert.equal(state[place], undefined, place);
    }
    assert.deepEqual((await repair(0, queue.broker, never)).ids, [], 'all is well then');
  });
}

test('nothing is touched where all is well, also while jobs move', async (t) => {
  const { broker, another, atEnd } = testQueue(t);
  await broker.open();
  const held: Delivery[] = [];
  const consumer = new Consumer(another(), {
    queues: ['main'],
    limit: 50,
    deliver: (deliveries) => {
      held.push(...deliveries);
      for (const { job } of held.splice(0))
        consumer.settle(job.id, { kind: 'succeeded', result: '1' });
    },
  });
  atEnd(() => consumer.stop());
  await consumer.start();
  const producer = new Producer(broker);
  let flowing = true;
  const flow = (async () => {
    while (flowing) {
      const jobs = Array.from({ length: 20 }, (_, n) =>
        producer.enqueue({
          id: randomUUID(),
          task: 'work',
          queue: 'main',
          payload: '{}',
          delayMs: n % 3 === 0 ? 5 : 0,
        }),
      );
      await Promise.all(jobs);
    }
  })();
  for (let look = 0; look < 200; look++) {
    assert.deepEqual(await repair(0, broker, never), { ids: [], wasEven: true });
  }
  flowing = false;
  await flow;
});

/** Damages a queue on which jobs flow, and has two workers mend it at the same time. */
async function damage({ redis, broker }: TestQueue): Promise<{ lost: string[] }> {
  const key = (name: string): string => broker.key(0, name);
  const lost = await redis.lrange(key(line), 0, 99);
  await redis.ltrim(key(line), 100, -1);
  const doubled = await redis.lrange(key(line), 0, 9);
  await redis.rpush(key(line), ...doubled);
  return { lost };
}

test('lost and doubled jobs among thousands are each done once, whoever mends', async (t) => {
  const queue = testQueue(t);
  const { broker, another, atEnd } = queue;
  await broker.open();
  const producer = new Producer(broker);
  const ids = Array.from({ length: 3000 }, () => randomUUID());
  await Promise.all(
    ids.map((id) => producer.enqueue({ id, task: 'work', queue: 'main', payload: '{}' })),
  );
  const { lost } = await damage(queue);
  const found = await Promise.all([broker, another()].map((one) => repair(0, one, never)));
  const mended = found.flatMap(({ ids: mine }) => mine);
  assert.equal(mended.length, 110, 'each by one of the two');
  assert.deepEqual(new Set(mended.filter((id) => lost.includes(id))), new Set(lost));
  const runs = new Map<string, number>();
  const consumer = new Consumer(another(), {
    queues: ['main'],
    limit: 100,
    deliver: (deliveries) => {
      for (const {
        job: { id },
      } of deliveries) {
        runs.set(id, (runs.get(id) ?? 0) + 1);
        consumer.settle(id, { kind: 'succeeded', result: '1' });
      }
    },
  });
  atEnd(() => consumer.stop());
  await consumer.start();
  await eventually('all are done', () => runs.size === ids.length);
  assert.ok([...runs.values()].every((count) => count === 1));
  const inspector = new Inspector(broker);
  await eventually('and told', async () => (await inspector.overview()).done === ids.length);
});

test('a job whose lease was lost while it ran is leased anew, and ends once', async (t) => {
  const queue = testQueue(t);
  const { broker, redis, atEnd } = queue;
  await broker.open();
  const runs: string[] = [];
  const consumer = new Consumer(queue.another(), {
    queues: ['main'],
    limit: 10,
    deliver: (deliveries) => runs.push(...deliveries.map(({ job }) => job.id)),
  });
  atEnd(() => consumer.stop());
  await consumer.start();
  const id = uuid('lone');
  await new Producer(broker).enqueue({ id, task: 'work', queue: 'main', payload: '{}' });
  await eventually('it runs', () => runs.length === 1);
  const lease = broker.key(0, `lease:${consumer.id}`);
  await redis.del(lease);
  assert.deepEqual((await repair(0, broker, never)).ids, [id]);
  await eventually('it is leased', async () => (await redis.sismember(lease, id)) === 1);
  consumer.settle(id, { kind: 'succeeded', result: '1' });
  const inspector = new Inspector(broker);
  await eventually('it has ended', async () => (await inspector.status(id)).state === 'succeeded');
  assert.deepEqual(runs, [id]);
});

test('a worker looks again and again, and tells what it mended', async (t) => {
  const queue = testQueue(t);
  const { broker, redis, atEnd } = queue;
  await broker.open();
  const told: string[][] = [];
  const loop = createRepair(0, broker, {
    repaired: (ids) => told.push(ids),
    failed: (error) => assert.fail(String(error)),
  });
  atEnd(() => loop.stop());
  await loop.start();
  const id = uuid('lone');
  await new Producer(broker).enqueue({ id, task: 'work', queue: 'main', payload: '{}' });
  await redis.del(broker.key(0, line));
  await eventually('it is mended', () => {
    loop.wake();
    return told.length > 0;
  });
  assert.deepEqual(told, [[id]]);
  assert.deepEqual(await redis.lrange(broker.key(0, line), 0, -1), [id]);
});
