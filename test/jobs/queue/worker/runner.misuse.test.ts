/**
 * Handlers and policies that break their word cost their own job and nothing else.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Inspector,
  QueueError,
  Results,
  Runner,
  type Job,
  type RunnerOptions,
} from '../../../../jobs/queue/index.ts';
import { HANG_MS } from '../../../support/patience.ts';
import { request, testQueue, uuid, type TestQueue } from '../../../support/queue/scripts.ts';

async function startRunner(queue: TestQueue, options: Partial<RunnerOptions>): Promise<unknown[]> {
  const told: unknown[] = [];
  const runner = new Runner(queue.broker, {
    queues: ['main'],
    concurrency: 1,
    run: () => '1',
    failed: (error) => told.push(error),
    ...options,
  });
  queue.atEnd(() => runner.stop());
  await runner.start();
  return told;
}

async function resultsOf(queue: TestQueue): Promise<Results> {
  const results = new Results(queue.broker);
  queue.atEnd(() => results.stop());
  await results.start();
  return results;
}

const odd = Object.assign(new Error('odd'), { message: { odd: 1 } });
const HANDLERS: Record<string, RunnerOptions['run']> = {
  'returns nothing': () => undefined as never,
  'returns an object': () => ({ a: 1 }) as never,
  'returns what is no JSON': () => 'not json',
  'returns an empty text': () => '',
  'returns a text UTF-8 cannot carry': () => '"\ud800"',
  'throws an error whose message is no text': () => {
    throw odd;
  },
  'throws what has no text at all': () => {
    throw Object.create(null);
  },
  'throws nothing': () => {
    throw undefined;
  },
};

describe('a handler that', () => {
  for (const [name, run] of Object.entries(HANDLERS)) {
    test(`${name} fails its job, and the next one runs`, async (t) => {
      const queue = testQueue(t);
      const results = await resultsOf(queue);
      const isBad = (job: Job): boolean => job.id === uuid('bad');
      await startRunner(queue, { run: (job) => (isBad(job) ? run(job) : '"fine"') });
      await queue.broker.enqueue(0, [request('bad'), request('next')]);
      const bad = await results.get(uuid('bad'), { timeoutMs: HANG_MS });
      assert.deepEqual([bad.state, bad.reason?.code], ['failed', 'HANDLER_FAILED']);
      const next = await results.get(uuid('next'), { timeoutMs: HANG_MS });
      assert.deepEqual([next.state, next.result], ['succeeded', '"fine"']);
    });
  }
});

describe('a policy that plans a retry in', () => {
  for (const delay of [Number.NaN, Infinity, 1e20, -1, 0.5]) {
    test(`${delay} ms is told, and its job is a dead letter after one run`, async (t) => {
      const queue = testQueue(t);
      const results = await resultsOf(queue);
      let runs = 0;
      const told = await startRunner(queue, {
        run: () => {
          runs++;
          throw new Error('no');
        },
        retry: () => delay,
      });
      await queue.broker.enqueue(0, [request('a')]);
      const { state } = await results.get(uuid('a'), { timeoutMs: HANG_MS });
      assert.deepEqual([state, runs, told.length], ['failed', 1, 1]);
    });
  }
});

test('an id that is none fails its own wait and nobody else', async (t) => {
  const queue = testQueue(t);
  const results = await resultsOf(queue);
  await startRunner(queue, {});
  await queue.broker.enqueue(0, [request('a')]);
  const [good, bad] = await Promise.allSettled([
    results.get(uuid('a'), { timeoutMs: HANG_MS }),
    results.get('no-uuid', { timeoutMs: HANG_MS }),
  ]);
  assert.equal(good.status === 'fulfilled' && good.value.state, 'succeeded');
  assert.ok(bad.status === 'rejected' && bad.reason instanceof QueueError);
  assert.equal(bad.reason.code, 'JOB_ID_INVALID');
});

test('20 jobs of 1 MiB are looked at in pages', async (t) => {
  const queue = testQueue(t);
  const payload = JSON.stringify('x'.repeat(1024 * 1024 - 2));
  const names = Array.from({ length: 20 }, (_, i) => `big-${i}`);
  for (const name of names) await queue.broker.enqueue(0, [request(name, { payload })]);
  const statuses = await new Inspector(queue.broker).statuses(names.map(uuid));
  assert.deepEqual(
    statuses.map(({ id, state }) => [id, state]),
    names.map((name) => [uuid(name), 'pending']),
  );
  const flat = await queue.broker.run<string[]>('status', 0, names.map(uuid));
  const bytes = flat.reduce((sum, text) => sum + text.length, 0);
  assert.ok(bytes < 9 * 1024 * 1024, `${bytes} bytes in one answer`);
});
