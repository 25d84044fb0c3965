import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Inspector } from '../../../../jobs/queue/index.ts';
import { breakInbox, eventually, startConsumer } from '../../../support/queue/consumers.ts';
import {
  answer,
  record,
  request,
  short,
  testQueue,
  uuid,
  type State,
} from '../../../support/queue/scripts.ts';
import { step, stepReply, testRows, type Row } from '../../../support/stores/rows.ts';

const B = record('b');
const GARBAGE = 'v1{"q":oh no\nwhat?';
const BURIED: State = {
  jobs: { '@a': `f1{"code":"RECORD_CORRUPT"}\n${GARBAGE}`, '@b': B },
  failed: { '@a': 'T' },
  'wait:main:5': ['@b'],
};
const REPLIES = { 'replies:@w': { 1: '|', last: '1' } };

/** What must be left once a record of garbage was met, together with a good one. */
const rows: Row[] = [
  {
    name: 'when it comes due',
    before: {
      workers: { '@w': 'T+60s' },
      jobs: { '@a': GARBAGE, '@b': B },
      delayed: { '5@a': 'T-10s', '5@b': 'T-5s' },
      counts: { '@a': '1:0:' },
      progress: { '@a': '7' },
    },
    call: (broker) => step(broker, {}),
    reply: stepReply(),
    after: { ...BURIED, workers: { '@w': 'T+60s' }, ...REPLIES },
  },
  {
    name: 'when it is put back at once',
    before: {
      workers: { '@w': 'T+60s' },
      jobs: { '@a': GARBAGE, '@b': B },
      'lease:@w': ['@a', '@b'],
      counts: { '@a': '1:0:' },
      progress: { '@a': '7' },
    },
    call: (broker) => step(broker, { back: ['@a', 0, '2:0:', '@b', 0, ''] }),
    reply: stepReply(),
    after: { ...BURIED, workers: { '@w': 'T+60s' }, ...REPLIES },
  },
  {
    name: 'when it is put back for later',
    before: {
      workers: { '@w': 'T+60s' },
      jobs: { '@a': GARBAGE, '@b': B },
      'lease:@w': ['@a', '@b'],
      counts: { '@a': '1:0:' },
    },
    call: (broker) => step(broker, { back: ['@a', 60_000, '2:0:', '@b', 0, ''] }),
    reply: stepReply(),
    after: { ...BURIED, workers: { '@w': 'T+60s' }, ...REPLIES },
  },
  {
    name: 'when its worker is reaped',
    before: {
      workers: { '@w': 'T-5s' },
      jobs: { '@a': GARBAGE, '@b': B },
      'lease:@w': ['@a', '@b'],
      'inbox:@w': [`j@b\n${B}`],
      counts: { '@a': '1:0:' },
      progress: { '@a': '7' },
    },
    call: (broker) => broker.reap(0),
    reply: [{ worker: '@w', jobs: 2 }],
    after: BURIED,
  },
  {
    name: 'when its worker leaves',
    before: {
      workers: { '@w': 'T+60s' },
      jobs: { '@a': GARBAGE, '@b': B },
      'lease:@w': ['@a', '@b'],
      counts: { '@a': '1:0:' },
      progress: { '@a': '7' },
    },
    call: (broker) => broker.leave(0, uuid('w')),
    reply: 2,
    after: BURIED,
  },
];

describe('garbage in the place of a job becomes a dead letter, with nothing kept beside it', () => {
  testRows(rows);
});

test('garbage that looks like a job to the scripts ends as a dead letter in its worker', async (t) => {
  const queue = testQueue(t);
  await queue.load({ jobs: { '@a': GARBAGE, '@b': B }, 'wait:main:5': ['@a', '@b'] });
  const worker = await startConsumer(queue);
  await worker.until(1);
  assert.deepEqual(worker.names(), ['@b']);
  const inspector = new Inspector(queue.broker);
  await eventually('it is buried', async () => {
    const { state, reason } = await inspector.status(uuid('a'));
    return state === 'failed' && reason?.code === 'RECORD_CORRUPT';
  });
  assert.equal(worker.consumer.size, 1);
});

test('a lease on a job that is gone ends without a dead letter, so that the job can be enqueued again', async (t) => {
  const queue = testQueue(t);
  const worker = await startConsumer(queue);
  const lease = queue.broker.key(0, `lease:${worker.consumer.id}`);
  await queue.redis.sadd(lease, uuid('a'));
  await breakInbox(queue, worker);
  await eventually('its lease ended', async () => (await queue.redis.scard(lease)) === 0);
  assert.deepEqual(await queue.broker.enqueue(0, [request('a')]), ['added']);
  await worker.until(1);
  assert.deepEqual(worker.names(), ['@a']);
});

describe('a line that is no list', () => {
  const BROKEN: State = {
    workers: { '@w': 'T+60s' },
    jobs: { '@b': B },
    'wait:main:5': ['@b'],
    'wait:bad:5': 'not a list',
    queues: ['bad', 'main'],
  };

  test('has nothing of a call for it written, its good jobs included', async (t) => {
    const queue = testQueue(t);
    await queue.load(BROKEN);
    const call = queue.broker.enqueue(0, [
      request('c'),
      request('later', { delayMs: 60_000 }),
      request('d', { queue: 'bad' }),
    ]);
    assert.equal(await answer(call), 'SCRIPT_FAILED');
    assert.deepEqual(await queue.read(), { ...BROKEN, queues: ['bad', 'main'] });
    await queue.redis.del(queue.broker.key(0, 'wait:bad:5'));
  });

  test('stops neither adding to other queues nor claiming from them', async (t) => {
    const queue = testQueue(t);
    await queue.load(BROKEN);
    assert.deepEqual(await queue.broker.enqueue(0, [request('c')]), ['added']);
    const { claimed } = await step(queue.broker, { free: 5, queues: ['bad', 'main'] });
    assert.deepEqual(short(claimed.map(({ id }) => id)), ['@b', '@c']);
    await queue.redis.del(queue.broker.key(0, 'wait:bad:5'));
  });
});
