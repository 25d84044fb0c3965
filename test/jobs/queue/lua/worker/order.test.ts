/**
 * Jobs that fall due in the same millisecond run by priority, then in the order in which they were asked for.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Control } from '../../../../../jobs/queue/index.ts';
import {
  request,
  short,
  testQueue,
  uuid,
  type TestQueue,
} from '../../../../support/queue/scripts.ts';

const MINUTE_MS = 60_000;

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** A worker an hour later, to which everything is due. @returns the names of the jobs it claims, in order. */
async function claimed(queue: TestQueue, wanted: number): Promise<string[]> {
  const later = queue.another({ clockOffsetMs: 60 * MINUTE_MS });
  await later.renew(0, uuid('w'), MINUTE_MS, ['main']);
  const found: string[] = [];
  for (let seq = 1; found.length < wanted; seq++) {
    const call = { worker: uuid('w'), seq, free: 50, known: found.length, queues: ['main'] };
    const reply = await later.step(0, { ...call, succeeded: [], back: [], failed: [] });
    found.push(...reply.claimed.map(({ id }) => short(id).slice(1)));
  }
  return found;
}

/** When the delayed jobs are due, in milliseconds, in their order. */
async function dueTimes(queue: TestQueue): Promise<number[]> {
  const flat = await queue.redis.zrange(queue.broker.key(0, 'delayed'), '0', '-1', 'WITHSCORES');
  return flat.filter((_, index) => index % 2 === 1).map((score) => Math.floor(Number(score)));
}

async function asked(t: TestContext, count: number, priorities: readonly number[]) {
  const queue = testQueue(t);
  const jobs = priorities.flatMap((priority) =>
    names(`p${priority}n`, count).map((name) => request(name, { priority, delayMs: MINUTE_MS })),
  );
  // One call: all fall due in the same millisecond.
  await queue.broker.enqueue(0, jobs);
  return queue;
}

describe('jobs asked for in one call', () => {
  for (const count of [10, 204, 1000]) {
    test(`${count} of one priority keep the order of asking`, async (t) => {
      const queue = await asked(t, count, [5]);
      const times = await dueTimes(queue);
      assert.ok(times.at(-1)! - times[0]! < count / 200 + 1, 'they stay within a few milliseconds');
      assert.deepEqual(await claimed(queue, count), names('p5n', count));
    });
  }

  test('of several priorities are promoted by priority, however many there are', async (t) => {
    const queue = await asked(t, 120, [0, 5, 9]);
    // A renewal promotes the first hundred.
    const later = queue.another({ clockOffsetMs: 60 * MINUTE_MS });
    await later.renew(0, uuid('w'), MINUTE_MS, ['main']);
    const line = await queue.redis.lrange(queue.broker.key(0, 'wait:main:9'), 0, -1);
    assert.deepEqual(short(line), names('@p9n', 100));
    const wanted = [9, 5, 0].flatMap((priority) => names(`p${priority}n`, 120));
    assert.deepEqual(await claimed(queue, 360), wanted);
  });
});

test('jobs asked for in several calls keep the order of asking', async (t) => {
  const queue = testQueue(t);
  // Pipelined, so that several calls fall into one millisecond.
  const calls = names('n', 300).map((name) =>
    queue.broker.enqueue(0, [request(name, { delayMs: MINUTE_MS })]),
  );
  await Promise.all(calls);
  const times = await dueTimes(queue);
  assert.ok(new Set(times).size < times.length, 'some are due together');
  assert.deepEqual(await claimed(queue, 300), names('n', 300));
});

test('retries settled in one round keep their order', async (t) => {
  const queue = testQueue(t);
  const { broker } = queue;
  await broker.renew(0, uuid('v'), 600 * MINUTE_MS, ['main']);
  await broker.enqueue(
    0,
    names('n', 30).map((name) => request(name)),
  );
  const call = {
    worker: uuid('v'),
    free: 30,
    known: 0,
    queues: ['main'],
    succeeded: [],
    failed: [],
  };
  await broker.step(0, { ...call, seq: 1, back: [] });
  const back = names('n', 30).flatMap((name) => [uuid(name), 1000, '1:0:']);
  await broker.step(0, { ...call, seq: 2, free: 0, queues: [], back });
  assert.deepEqual(await claimed(queue, 30), names('n', 30));
});

test('a job that is rescheduled comes after those that were due then already', async (t) => {
  const queue = await asked(t, 3, [5]);
  const due = (await dueTimes(queue))[0]!;
  const key = queue.broker.key(0, 'delayed');
  // What `reschedule` would do in the same millisecond, which no test can hit.
  const [first] = await queue.redis.zrange(key, '0', '0');
  assert.equal(first, `5${uuid('p5n0')}`);
  await new Control(queue.broker).reschedule(uuid('p5n0'), MINUTE_MS);
  const times = await dueTimes(queue);
  assert.ok(times.at(-1)! >= due);
  assert.deepEqual((await claimed(queue, 3)).at(-1), 'p5n0');
});
