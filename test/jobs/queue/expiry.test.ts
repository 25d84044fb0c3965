/**
 * An expiry is by the clock of Redis alone: that of a producer may be an hour off.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Inspector, Producer, type JobRequest } from '../../../jobs/queue/index.ts';
import { decodeJob } from '../../../jobs/queue/broker/record.ts';
import { eventually, startConsumer } from '../../support/queue/consumers.ts';
import { record, request, testQueue, uuid, type TestQueue } from '../../support/queue/scripts.ts';
import { step } from '../../support/stores/rows.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Adds a job as a process would whose clock is off by that much. @returns Redis's time before and after. */
async function addWithClock(t: TestContext, queue: TestQueue, offMs: number, job: JobRequest) {
  const from = await redisMs(queue);
  const real = Date.now;
  const mock = t.mock.method(Date, 'now', () => real() + offMs);
  assert.equal(await new Producer(queue.broker).enqueue(job), 'added');
  mock.mock.restore();
  return { from, to: await redisMs(queue) };
}

async function redisMs({ redis }: TestQueue): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

async function jobOf({ broker, redis }: TestQueue, name: string) {
  return decodeJob(uuid(name), (await redis.hget(broker.key(0, 'jobs'), uuid(name)))!);
}

for (const [name, offMs] of [
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
] as const) {
  describe(`a producer whose clock is an hour ${name}`, () => {
    test('adds a job that expires in a minute: a minute from the time of Redis', async (t) => {
      const queue = testQueue(t);
      const job = request('a', { expiresInMs: MINUTE_MS });
      const { from, to } = await addWithClock(t, queue, offMs, job);
      const { expiresAtMs, createdAtMs } = await jobOf(queue, 'a');
      assert.ok(expiresAtMs! >= from + MINUTE_MS && expiresAtMs! <= to + MINUTE_MS);
      assert.ok(Math.abs(createdAtMs - from - offMs) < MINUTE_MS, 'when it was made is its own');
      const worker = await startConsumer(queue, { settle: true });
      await worker.until(1);
      assert.deepEqual(worker.names(), ['@a']);
    });

    test('adds a job that expires at once: it never runs', async (t) => {
      const queue = testQueue(t);
      const { from, to } = await addWithClock(t, queue, offMs, request('a', { expiresInMs: 0 }));
      const { expiresAtMs } = await jobOf(queue, 'a');
      assert.ok(expiresAtMs! >= from && expiresAtMs! <= to);
      const worker = await startConsumer(queue, { settle: true });
      await eventually('it has expired', async () => {
        const { state, reason } = await new Inspector(queue.broker).status(uuid('a'));
        return state === 'revoked' && reason?.code === 'JOB_EXPIRED';
      });
      assert.deepEqual(worker.names(), []);
    });
  });
}

test('a job that waited for longer than it may is not given out, by the clock of Redis', async (t) => {
  const queue = testQueue(t);
  await queue.load({ workers: { '@w': 'T+600s' } });
  await queue.broker.enqueue(0, [request('e', { expiresInMs: MINUTE_MS }), request('a')]);
  const later = queue.another({ clockOffsetMs: MINUTE_MS + 1000 });
  const { claimed } = await step(later, { free: 5 });
  assert.deepEqual(
    claimed.map(({ id }) => id),
    [uuid('a')],
  );
});

test('a delayed job expires by when it was added, and is delivered when it comes due before that', async (t) => {
  const queue = testQueue(t);
  await queue.load({ workers: { '@w': 'T+600s' } });
  const from = await redisMs(queue);
  await queue.broker.enqueue(0, [
    request('a', { delayMs: MINUTE_MS, expiresInMs: 2 * MINUTE_MS }),
    request('b', { delayMs: MINUTE_MS, expiresInMs: MINUTE_MS / 2 }),
  ]);
  assert.deepEqual((await queue.read())['delayed'], { '5@a': 'T+60s', '5@b': 'T+60s' });
  const { expiresAtMs } = await jobOf(queue, 'a');
  assert.ok(expiresAtMs! - from >= 2 * MINUTE_MS && expiresAtMs! - from < 2 * MINUTE_MS + 5000);
  const later = queue.another({ clockOffsetMs: MINUTE_MS + 1000 });
  const { claimed } = await step(later, { free: 5 });
  assert.deepEqual(
    claimed.map(({ id }) => id),
    [uuid('a')],
  );
  assert.equal((await new Inspector(later).status(uuid('b'))).reason?.code, 'JOB_EXPIRED');
});

test('the same id with another expiry, or none, is there already and keeps the first', async (t) => {
  const queue = testQueue(t);
  const add = (expiresInMs?: number) =>
    queue.broker.enqueue(0, [request('a', { expiresInMs }), request('b')]);
  assert.deepEqual(await add(MINUTE_MS), ['added', 'added']);
  const jobs = { '@a': record('a', { expires: 'T+60s' }), '@b': record('b') };
  assert.deepEqual(await add(10 * MINUTE_MS), ['exists', 'exists']);
  assert.deepEqual(await add(), ['exists', 'exists']);
  assert.deepEqual((await queue.read())['jobs'], jobs);
});

test('twice in one call with two expiries it is one job, with the first', async (t) => {
  const queue = testQueue(t);
  const words = await queue.broker.enqueue(0, [
    request('a', { expiresInMs: MINUTE_MS }),
    request('a', { expiresInMs: 10 * MINUTE_MS }),
  ]);
  assert.deepEqual(words, ['added', 'exists']);
  assert.deepEqual((await queue.read())['jobs'], { '@a': record('a', { expires: 'T+60s' }) });
});

/** What could be taken for a header, or for a place to put something, by whoever writes the expiry. */
const CONFUSING: Record<string, string> = {
  'a header': JSON.stringify('e1{"q":"main","p":5,'),
  'a header on a line of its own': '1\ne1{"q":"main","p":5,"n":"work","c":1}\n2',
  'references of a pattern': '"%0 %1 %2 %% %"',
  'an expiry': '{"x":1,"p":5,"q":"main"}',
};

describe('with an expiry, a payload is stored to the letter:', () => {
  for (const [name, payload] of Object.entries(CONFUSING)) {
    test(name, async (t) => {
      const queue = testQueue(t);
      const headers = { of: payload };
      // As records: not all of these are JSON.
      const head = `e1{"q":"main","p":5,"n":"work","c":1,"h":${JSON.stringify(headers)}}`;
      const jobs = [request('a', { expiresInMs: MINUTE_MS })];
      const fromMs = Date.now();
      await queue.broker.enqueueRecords(0, jobs, [`${head}\n${payload}`]);
      const job = await jobOf(queue, 'a');
      assert.deepEqual([job.payload, job.headers, job.createdAtMs], [payload, headers, 1]);
      const inMs = job.expiresAtMs! - fromMs;
      assert.ok(inMs >= MINUTE_MS && inMs <= Date.now() - fromMs + MINUTE_MS, `${inMs} ms`);
    });

    test(`${name}, of a job without one beside it`, async (t) => {
      const queue = testQueue(t);
      const text = `v1{"q":"main","p":5,"n":"work","c":1}\n${payload}`;
      const other = `e1{"q":"main","p":5,"n":"work","c":1}\n1`;
      await queue.broker.enqueueRecords(
        0,
        [request('a'), request('b', { expiresInMs: MINUTE_MS }), request('c')],
        [text, other, text],
      );
      const jobs = await queue.redis.hgetall(queue.broker.key(0, 'jobs'));
      assert.deepEqual([jobs[uuid('a')], jobs[uuid('c')]], [text, text]);
      assert.ok((await jobOf(queue, 'b')).expiresAtMs! > Date.now());
    });
  }
});
