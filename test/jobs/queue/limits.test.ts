/**
 * How much may be said at a time: results, reasons, ids, delays.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Control,
  Inspector,
  MAX_RESULT_BYTES,
  Producer,
  Runner,
  type Job,
} from '../../../jobs/queue/index.ts';
import { decodeEnd, encodeReason } from '../../../jobs/queue/broker/record.ts';
import { Settlements } from '../../../jobs/queue/worker/settlements.ts';
import { eventually, startConsumer } from '../../support/queue/consumers.ts';
import { lossyBroker } from '../../support/queue/lossy-broker.ts';
import {
  answer,
  record,
  request,
  testQueue,
  uuid,
  type TestQueue,
} from '../../support/queue/scripts.ts';

const MIB = 1024 * 1024;
const CENTURY_MS = 100 * 365 * 86_400_000;

const names = (count: number, prefix = 'j') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

async function statusOnceEnded(queue: TestQueue, name: string) {
  const inspector = new Inspector(queue.broker);
  await eventually(`${name} ended`, async () => {
    const { state } = await inspector.status(uuid(name));
    return state === 'succeeded' || state === 'failed';
  });
  return inspector.status(uuid(name));
}

/** Runs one job with that handler, and says how it ended. */
async function run(queue: TestQueue, work: () => string | Promise<string>) {
  const runner = new Runner(queue.another(), { queues: ['main'], leaseMs: 60_000, run: work });
  queue.atEnd(() => runner.stop());
  await runner.start();
  await queue.broker.enqueue(0, [request('a')]);
  return statusOnceEnded(queue, 'a');
}

describe('a result', () => {
  const quoted = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
  for (const [name, result, isTooLarge] of [
    ['of exactly 1 MiB is kept', quoted(MAX_RESULT_BYTES), false],
    ['of a byte more ends the job as failed', quoted(MAX_RESULT_BYTES + 1), true],
    ['of exactly 1 MiB, in three bytes a character, is kept', `"${'島'.repeat(349_524)}ab"`, false],
    ['of more in bytes alone ends the job as failed', `"${'島'.repeat(349_525)}"`, true],
  ] as const) {
    test(name, async (t) => {
      const queue = testQueue(t);
      const { state, reason, result: kept, job } = await run(queue, () => result);
      assert.equal(state, isTooLarge ? 'failed' : 'succeeded');
      assert.equal(reason?.code, isTooLarge ? 'RESULT_TOO_LARGE' : undefined);
      assert.equal(kept === result, !isTooLarge);
      assert.equal(job?.payload, isTooLarge ? '{"of":"a"}' : undefined);
    });
  }

  test('that is too large can be tried again', async (t) => {
    const queue = testQueue(t);
    let turn = 0;
    const work = () => (turn++ === 0 ? quoted(MAX_RESULT_BYTES + 1) : '2');
    assert.equal((await run(queue, work)).state, 'failed');
    assert.deepEqual(await new Control(queue.broker).requeue([uuid('a')]), ['requeued']);
    await eventually('it ran again', () => turn === 2);
    assert.equal((await statusOnceEnded(queue, 'a')).result, '2');
  });
});

test('a hundred results of 200 KiB settle, in rounds of some 4 MiB', async (t) => {
  const queue = testQueue(t);
  const broker = lossyBroker(queue);
  const worker = await startConsumer(queue, { limit: 100 }, broker);
  const producer = new Producer(queue.broker);
  await Promise.all(names(100).map((name) => producer.enqueue(request(name))));
  await worker.until(100);
  // Of three bytes each.
  const result = JSON.stringify('島'.repeat(68_266));
  for (const name of names(100)) {
    worker.consumer.settle(uuid(name), { kind: 'succeeded', result });
  }
  await worker.consumer.drain();
  await eventually(
    'all ended',
    async () => (await queue.broker.redis.llen(doneKey(queue))) === 100,
  );
  const bytes = broker.sent.map(({ succeeded }) => Buffer.byteLength(succeeded.join('')));
  assert.ok(Math.max(...bytes) <= 4.3 * MIB, `${Math.max(...bytes)} bytes`);
  assert.ok(bytes.filter((some) => some > 0).length <= 6, 'few rounds');
  assert.equal((await new Inspector(queue.broker).status(uuid('j99'))).result, result);
  assert.deepEqual([worker.lost, worker.errors], [[], []]);
});

const doneKey = ({ broker }: TestQueue) => broker.key(0, 'done');

test('a round takes the results of 4 MiB, one at least, and of short ones two hundred', () => {
  const settlements = new Settlements();
  const add = (name: string, result: string): void =>
    settlements.add({ id: name, queue: 'main', task: 'work', payload: '1' } as Job, {
      kind: 'succeeded',
      result,
    });
  for (const name of names(9)) add(name, 'r'.repeat(MIB - 200));
  for (const name of names(400, 'small')) add(name, '1');
  const taken = Array.from({ length: 5 }, () => settlements.take().succeeded.length / 2);
  assert.deepEqual(taken, [4, 4, 200, 200, 1]);
  assert.equal(settlements.waiting, 0);
});

describe('the message of a reason', () => {
  const long = 'm'.repeat(2001);
  test('has at most 2,000 characters', () => {
    for (const [message, kept] of [
      [long, 2000],
      [long.slice(1), 2000],
      ['m', 1],
    ] as const) {
      const { reason } = decodeEnd(`f1${encodeReason({ code: 'BROKEN', message })}\n`);
      assert.deepEqual(reason, { code: 'BROKEN', message: 'm'.repeat(kept) });
    }
    assert.equal(encodeReason({ code: 'BROKEN' }), '{"code":"BROKEN"}');
  });

  test('of a handler that failed is cut there', async (t) => {
    const { reason } = await run(testQueue(t), () => Promise.reject(new Error('m'.repeat(5000))));
    assert.deepEqual(reason, { code: 'HANDLER_FAILED', message: 'm'.repeat(2000) });
  });

  test('of a revoke is cut there', async (t) => {
    const queue = testQueue(t);
    await queue.broker.enqueue(0, [request('a')]);
    await new Control(queue.broker).revoke([uuid('a')], long);
    const { reason } = await new Inspector(queue.broker).status(uuid('a'));
    assert.deepEqual(reason, { code: 'REVOKED', message: 'm'.repeat(2000) });
  });
});

test('a revoke of 1,200 ids over two shards is answered in their order', async (t) => {
  const queue = testQueue(t, { shards: 2 });
  const producer = new Producer(queue.broker);
  const all = names(1200);
  await Promise.all(
    all.filter((_, i) => i % 3 === 0).map((name) => producer.enqueue(request(name))),
  );
  const words = await new Control(queue.broker).revoke(all.map(uuid));
  assert.deepEqual(
    words,
    all.map((_, i) => (i % 3 === 0 ? 'revoked' : 'unknown')),
  );
});

test('an id that is no UUID is refused, and nothing of the call is done', async (t) => {
  const queue = testQueue(t);
  await queue.load({
    jobs: { '@a': record('a'), '@b': `f1{"code":"BROKEN"}\n${record('b')}` },
    'wait:main:5': ['@a'],
    failed: { '@b': 'T' },
  });
  const before = await queue.read();
  const control = new Control(queue.broker);
  const inspector = new Inspector(queue.broker);
  for (const id of ['', 'a', uuid('a').toUpperCase(), `${uuid('a')}\n`]) {
    for (const call of [
      control.revoke([uuid('a'), id]),
      control.requeue([uuid('b'), id]),
      control.reschedule(id, 1000),
      inspector.status(id),
      inspector.statuses([uuid('a'), id]),
    ]) {
      assert.equal(await answer(call), 'JOB_ID_INVALID');
    }
  }
  assert.deepEqual(await queue.read(), before);
});

test('a delay or an expiry of 100 years is taken, and a longer one refused', async (t) => {
  const queue = testQueue(t);
  const { broker } = queue;
  const control = new Control(broker);
  const add = (name: string, more: object) => answer(broker.enqueue(0, [request(name, more)]));
  assert.deepEqual(await add('a', { delayMs: CENTURY_MS, expiresInMs: CENTURY_MS }), ['added']);
  assert.equal(await control.reschedule(uuid('a'), CENTURY_MS), 'rescheduled');
  const before = await queue.redis.zscore(broker.key(0, 'delayed'), `5${uuid('a')}`);
  assert.ok(Math.abs(Number(before) - Date.now() - CENTURY_MS) < 60_000);
  const { job } = await new Inspector(broker).status(uuid('a'));
  assert.ok(Math.abs(job!.expiresAtMs! - Date.now() - CENTURY_MS) < 60_000);
  for (const ms of [CENTURY_MS + 1, 2 ** 53, Infinity, Number.NaN, -1, 0.5]) {
    assert.equal(await add('b', { delayMs: ms }), 'JOB_OPTION_INVALID');
    assert.equal(await add('b', { expiresInMs: ms }), 'JOB_OPTION_INVALID');
    assert.equal(await answer(control.reschedule(uuid('a'), ms)), 'JOB_OPTION_INVALID');
  }
  assert.equal(await queue.redis.zscore(broker.key(0, 'delayed'), `5${uuid('a')}`), before);
  assert.equal(await queue.redis.hlen(broker.key(0, 'jobs')), 1);
});
