import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Control, Inspector } from '../../../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../../../support/queue/consumers.ts';
import {
  record,
  request,
  short,
  testQueue,
  uuid,
  type State,
} from '../../../../support/queue/scripts.ts';
import { step, testRows } from '../../../../support/stores/rows.ts';

const A = record('a');
const B = record('b');
const IDLE: State = {
  workers: { '@v': 'T+60s', '@w': 'T+60s' },
  'idle:main': { '@v': 'T', '@w': 'T' },
  'idle:two': { '@w': 'T' },
  free: { '@v': '1', '@w': '1' },
};

describe('pause and resume', () => {
  testRows([
    {
      name: 'a paused queue is noted, and nobody is told',
      before: { ...IDLE, paused: ['two'] },
      call: (broker) => new Control(broker).pause('main'),
      reply: undefined,
      after: { ...IDLE, paused: ['main', 'two'] },
    },
    {
      name: 'a queue that is paused already stays so',
      before: { paused: ['main'] },
      call: (broker) => new Control(broker).pause('main'),
      reply: undefined,
    },
    {
      name: 'a resumed queue has its idle workers look again, and no others, nor those that died',
      before: {
        ...IDLE,
        'idle:main': { '@dead': 'T-60s', '@v': 'T' },
        paused: ['main', 'two'],
      },
      call: (broker) => new Control(broker).resume('main'),
      reply: undefined,
      after: {
        ...IDLE,
        free: { '@w': '1' },
        'idle:main': { '@dead': 'T-60s' },
        paused: ['two'],
        'inbox:@v': ['c'],
      },
    },
    {
      name: 'a name that is no queue is refused',
      before: { paused: ['main'] },
      call: (broker) => new Control(broker).resume('a:b'),
      reply: 'JOB_OPTION_INVALID',
    },
  ]);
});

describe('reschedule', () => {
  const delayed: State = {
    workers: { '@w': 'T+60s' },
    jobs: { '@a': A, '@b': record('b', { priority: 2 }) },
    delayed: { '5@a': 'T+60s', '2@b': 'T+90s' },
  };
  const ended: State = {
    workers: { '@w': 'T+60s' },
    jobs: {
      '@pending': record('pending'),
      '@active': record('active'),
      '@failed': `f1{"code":"BROKEN"}\n${record('failed')}`,
      '@revoked': `x1{"code":"REVOKED"}\n${record('revoked')}`,
      '@done': 'r1{"q":"main","n":"work","c":T,"f":T,"d":"00"}\n1',
      '@other': record('other'),
    },
    'wait:main:5': ['@pending'],
    'lease:@w': ['@active'],
    failed: { '@failed': 'T' },
    delayed: { '5@other': 'T+60s' },
  };
  testRows([
    {
      name: 'moves a job before all others, under its priority, and workers are told',
      before: delayed,
      call: (broker) => new Control(broker).reschedule(uuid('b'), 30_000),
      reply: 'rescheduled',
      after: { ...delayed, delayed: { '2@b': 'T+30s', '5@a': 'T+60s' }, 'inbox:@w': ['tT+30s'] },
    },
    {
      name: 'moves a job to a later time, of which nobody needs to know',
      before: delayed,
      call: (broker) => new Control(broker).reschedule(uuid('a'), 120_000),
      reply: 'rescheduled',
      after: { ...delayed, delayed: { '2@b': 'T+90s', '5@a': 'T+120s' } },
    },
    {
      name: 'moves nothing that waits, runs, has ended or is not known',
      before: ended,
      call: (broker) =>
        Promise.all(
          ['pending', 'active', 'failed', 'revoked', 'done', 'unknown'].map((name) =>
            new Control(broker).reschedule(uuid(name), 1000),
          ),
        ),
      reply: Array.from({ length: 6 }, () => 'not_scheduled'),
    },
    {
      name: 'moves the expiry of a job along, and gives none to one that has none',
      before: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': A, '@b': record('b', { priority: 2, expires: 'T+70s' }) },
        delayed: { '5@a': 'T+60s', '2@b': 'T+60s' },
      },
      call: (broker) =>
        Promise.all(
          ['a', 'b'].map((name) => new Control(broker).reschedule(uuid(name), 90_000, 100_000)),
        ),
      reply: ['rescheduled', 'rescheduled'],
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': A, '@b': record('b', { priority: 2, expires: 'T+100s' }) },
        delayed: { '5@a': 'T+90s', '2@b': 'T+90s' },
      },
    },
    {
      name: 'is refused without a time',
      before: delayed,
      call: (broker) => new Control(broker).reschedule(uuid('a'), -1),
      reply: 'JOB_OPTION_INVALID',
    },
  ]);
});

describe('requeue and purge', () => {
  testRows([
    {
      name: 'several dead letters come back in the order given, uncharged, each to its own line',
      before: {
        jobs: {
          '@a': `f1{"code":"BROKEN"}\n${A}`,
          '@b': `f1{"code":"BROKEN","message":"{\\n}"}\n${B}`,
          '@c': `f1{"code":"BROKEN"}\n${record('c', { queue: 'two', priority: 9 })}`,
          '@corrupt': 'f1{"code":"RECORD_CORRUPT"}\nwhat?',
        },
        failed: { '@a': 'T', '@b': 'T', '@c': 'T', '@corrupt': 'T' },
        counts: { '@b': '3:0:' },
      },
      call: (broker) => new Control(broker).requeue(['b', 'corrupt', 'c', 'a', 'b'].map(uuid)),
      reply: ['not_failed', 'not_failed', 'requeued', 'requeued', 'not_failed'],
      after: {
        jobs: {
          '@a': A,
          '@b': B,
          '@c': record('c', { queue: 'two', priority: 9 }),
          '@corrupt': 'f1{"code":"RECORD_CORRUPT"}\nwhat?',
        },
        failed: { '@corrupt': 'T' },
        'wait:main:5': ['@b', '@a'],
        'wait:two:9': ['@c'],
      },
    },
    {
      name: 'a dead letter that is requeued goes to an idle worker',
      before: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': `f1{"code":"BROKEN"}\n${A}` },
        failed: { '@a': 'T' },
        'idle:main': { '@w': 'T' },
        free: { '@w': '1' },
      },
      call: (broker) => new Control(broker).requeue([uuid('a')]),
      reply: ['requeued'],
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': A },
        'lease:@w': ['@a'],
        'inbox:@w': [`j@a\n${A}`],
        'idle:main': { '@w': 'T+1000000s' },
        free: { '@w': '0' },
      },
    },
    {
      name: 'a paused queue is purged and stays paused; that a job in its lines was revoked stays known',
      before: {
        jobs: { '@a': `x1{"code":"REVOKED"}\n${A}`, '@b': record('b', { priority: 0 }) },
        'wait:main:5': ['@a', '@gone'],
        'wait:main:0': ['@b'],
        paused: ['main'],
      },
      call: (broker) => new Control(broker).purge('main'),
      reply: 3,
      after: {
        jobs: { '@a': `x1{"code":"REVOKED"}\n${A}` },
        done: ['@a'],
        marks: ['T:1:81'],
        doneBytes: '81',
        paused: ['main'],
      },
    },
    {
      name: 'dead letters are purged alone',
      before: {
        jobs: { '@a': `f1{"code":"BROKEN"}\n${A}`, '@b': B },
        failed: { '@a': 'T' },
        'wait:main:5': ['@b'],
      },
      call: (broker) => new Control(broker).purgeFailed(),
      reply: 1,
      after: { jobs: { '@b': B }, 'wait:main:5': ['@b'] },
    },
  ]);
});

test('a worker that idles on a paused queue takes its jobs when it is resumed', async (t) => {
  const queue = testQueue(t);
  const control = new Control(queue.broker);
  await control.pause('main');
  const worker = await startConsumer(queue);
  await eventually('idle', async () => 'free' in (await queue.read()));
  await queue.broker.enqueue(0, [request('a')]);
  assert.deepEqual(worker.names(), []);
  assert.deepEqual((await queue.read())['wait:main:5'], ['@a']);
  await control.resume('main');
  await worker.until(1);
  assert.deepEqual(worker.names(), ['@a']);
});

test('an id revoked in line and added again never stands there twice, nor runs', async (t) => {
  const queue = testQueue(t);
  const { broker } = queue;
  await broker.describe(0);
  await queue.redis.hset(broker.key(0, 'meta'), 'keepMs', '0');
  await broker.enqueue(0, [request('a'), request('b')]);
  await new Control(broker).revoke([uuid('a')]);
  // Renewing prunes: with nothing kept, a record that had entered retention would be gone by now.
  await broker.renew(0, uuid('w'), 60_000, ['main']);
  assert.deepEqual(await broker.enqueue(0, [request('a')]), ['exists']);
  assert.deepEqual((await queue.read())['wait:main:5'], ['@a', '@b']);
  const { claimed } = await step(broker, { free: 2 });
  assert.deepEqual(short(claimed.map(({ id }) => id)), ['@b']);
  assert.equal((await new Inspector(broker).status(uuid('a'))).state, 'unknown');
  assert.deepEqual(await broker.enqueue(0, [request('a')]), ['added']);
  assert.deepEqual((await queue.read())['wait:main:5'], ['@a']);
});
