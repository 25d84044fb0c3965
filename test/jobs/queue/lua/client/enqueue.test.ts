import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EnqueueWord, JobRequest } from '../../../../../jobs/queue/index.ts';
import {
  answer,
  record,
  request,
  testQueue,
  type State,
} from '../../../../support/queue/scripts.ts';

type Row = { name: string; before: State; call: JobRequest[]; reply: EnqueueWord[]; after: State };

const waiting: State = { jobs: { '@a': record('a') }, 'wait:main:5': ['@a'] };
/** `d`: the first 16 digits of SHA-1 over `work\n{"of":"a"}`. */
const succeeded: State = {
  jobs: { '@a': `r1{"q":"main","n":"work","c":T,"f":T,"d":"ada034c97b2480a4"}\n"done"` },
};
const failed: State = {
  jobs: { '@a': `f1{"code":"BROKEN"}\n${record('a')}` },
  failed: { '@a': 'T' },
};
const revoked: State = { jobs: { '@a': `x1{"code":"REVOKED"}\n${record('a')}` } };
const idle = (free: string): State => ({
  workers: { '@w': 'T+60s' },
  'idle:main': { '@w': 'T-5s' },
  free: { '@w': free },
});

const ROWS: Row[] = [
  {
    name: 'jobs go to the end of their lines, by queue and priority',
    before: waiting,
    call: [
      request('b'),
      request('c', { priority: 9 }),
      request('d', { queue: 'other' }),
      request('e'),
    ],
    reply: ['added', 'added', 'added', 'added'],
    after: {
      jobs: {
        '@a': record('a'),
        '@b': record('b'),
        '@c': record('c', { priority: 9 }),
        '@d': record('d', { queue: 'other' }),
        '@e': record('e'),
      },
      'wait:main:5': ['@a', '@b', '@e'],
      'wait:main:9': ['@c'],
      'wait:other:5': ['@d'],
    },
  },
  {
    name: 'a delayed job waits aside under its priority, and workers are told of the earlier time',
    before: { workers: { '@v': 'T+30s', '@w': 'T+60s' } },
    call: [request('a', { delayMs: 60_000, priority: 3 })],
    reply: ['added'],
    after: {
      jobs: { '@a': record('a', { priority: 3 }) },
      delayed: { '3@a': 'T+60s' },
      workers: { '@v': 'T+30s', '@w': 'T+60s' },
      'inbox:@v': ['tT+60s'],
      'inbox:@w': ['tT+60s'],
    },
  },
  {
    name: 'workers are not told of a later time than the one they know',
    before: { workers: { '@w': 'T+60s' }, delayed: { '5@a': 'T+30s' } },
    call: [request('b', { delayMs: 60_000 })],
    reply: ['added'],
    after: {
      jobs: { '@b': record('b') },
      delayed: { '5@a': 'T+30s', '5@b': 'T+60s' },
      workers: { '@w': 'T+60s' },
    },
  },
  {
    name: 'the same id with the same task and payload exists, whatever else the request says',
    before: waiting,
    call: [request('a', { priority: 9, queue: 'other', delayMs: 1000 })],
    reply: ['exists'],
    after: waiting,
  },
  {
    name: 'the same id with another payload is a conflict',
    before: waiting,
    call: [request('a', { payload: '{"of":"b"}' })],
    reply: ['conflict'],
    after: waiting,
  },
  {
    name: 'the same id with another task is a conflict',
    before: waiting,
    call: [request('a', { task: 'other' })],
    reply: ['conflict'],
    after: waiting,
  },
  ...Object.entries({ 'that succeeded': succeeded, 'that failed': failed, revoked }).map(
    ([end, state]): Row => ({
      name: `a job ${end} still tells a repeat from a conflict`,
      before: state,
      call: [request('a'), request('a', { payload: '1' })],
      reply: ['exists', 'conflict'],
      after: state,
    }),
  ),
  {
    name: 'repeats and conflicts within one call fail no stranger',
    before: {},
    call: [request('a'), request('a'), request('a', { payload: '1' }), request('b')],
    reply: ['added', 'exists', 'conflict', 'added'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b') },
      'wait:main:5': ['@a', '@b'],
    },
  },
  {
    name: 'a repeat in another group of the call is met there',
    before: {},
    call: [request('a'), request('b', { priority: 1 }), request('a')],
    reply: ['added', 'added', 'exists'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b', { priority: 1 }) },
      'wait:main:5': ['@a'],
      'wait:main:1': ['@b'],
    },
  },
  {
    name: 'of repeats among jobs that are all new the first holds, wherever it stands',
    before: {},
    call: [
      request('b'),
      request('a', { payload: '1' }),
      request('c'),
      request('a'),
      request('c'),
      request('a', { payload: '1' }),
    ],
    reply: ['added', 'added', 'added', 'conflict', 'exists', 'exists'],
    after: {
      jobs: { '@a': record('a', { payload: '1' }), '@b': record('b'), '@c': record('c') },
      'wait:main:5': ['@b', '@a', '@c'],
    },
  },
  {
    name: 'of repeats among new delayed jobs each waits once, at the time of the first',
    before: {},
    call: [
      request('a', { delayMs: 60_000 }),
      request('a', { delayMs: 60_000, payload: '1' }),
      request('a', { delayMs: 120_000 }),
      request('b', { delayMs: 120_000 }),
    ],
    reply: ['added', 'conflict', 'exists', 'added'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b') },
      delayed: { '5@a': 'T+60s', '5@b': 'T+120s' },
    },
  },
  {
    name: 'of repeats among new jobs an idle worker gets each once, as it was added',
    before: idle('5'),
    call: [request('a'), request('a', { payload: '1' }), request('a'), request('b')],
    reply: ['added', 'conflict', 'exists', 'added'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b') },
      'lease:@w': ['@a', '@b'],
      'inbox:@w': [`j@a\n${record('a')}`, `j@b\n${record('b')}`],
      workers: { '@w': 'T+60s' },
      'idle:main': { '@w': 'T+999995s' },
      free: { '@w': '3' },
    },
  },
  {
    name: 'new jobs among known ones are told apart, and only they are added',
    before: waiting,
    call: [request('b'), request('a'), request('a', { payload: '1' }), request('b'), request('c')],
    reply: ['added', 'exists', 'conflict', 'exists', 'added'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b'), '@c': record('c') },
      'wait:main:5': ['@a', '@b', '@c'],
    },
  },
  {
    name: 'an idle worker gets as many jobs as it has room for; the rest waits',
    before: idle('2'),
    call: [request('a'), request('b'), request('c')],
    reply: ['added', 'added', 'added'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b'), '@c': record('c') },
      'wait:main:5': ['@c'],
      'lease:@w': ['@a', '@b'],
      'inbox:@w': [`j@a\n${record('a')}`, `j@b\n${record('b')}`],
      workers: { '@w': 'T+60s' },
      free: { '@w': '0' },
    },
  },
  {
    name: 'idle workers share, the longest idle first',
    before: {
      'idle:main': { '@v': 'T-60s', '@w': 'T-5s' },
      free: { '@v': '5', '@w': '5' },
    },
    call: [request('a'), request('b'), request('c')],
    reply: ['added', 'added', 'added'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b'), '@c': record('c') },
      'lease:@v': ['@a', '@b'],
      'lease:@w': ['@c'],
      'inbox:@v': [`j@a\n${record('a')}`, `j@b\n${record('b')}`],
      'inbox:@w': [`j@c\n${record('c')}`],
      'idle:main': { '@v': 'T+999940s', '@w': 'T+999995s' },
      free: { '@v': '3', '@w': '4' },
    },
  },
  {
    name: 'an idle worker of another queue, one without room and a paused queue get nothing',
    before: {
      'idle:main': { '@v': 'T' },
      'idle:other': { '@w': 'T' },
      'idle:shut': { '@w': 'T' },
      free: { '@w': '5' },
      paused: ['shut'],
    },
    call: [request('a'), request('b', { queue: 'shut' })],
    reply: ['added', 'added'],
    after: {
      jobs: { '@a': record('a'), '@b': record('b', { queue: 'shut' }) },
      'wait:main:5': ['@a'],
      'wait:shut:5': ['@b'],
      'idle:other': { '@w': 'T' },
      'idle:shut': { '@w': 'T' },
      free: { '@w': '5' },
      paused: ['shut'],
    },
  },
];

describe('enqueue', () => {
  for (const { name, before, call, reply, after } of ROWS)
    test(name, async (t) => {
      const queue = testQueue(t);
      await queue.load(before);
      assert.deepEqual(await answer(queue.broker.enqueue(0, call)), reply);
      const queues = call.filter((_, i) => reply[i] === 'added').map((job) => job.queue);
      const expected = after === before ? before : { ...after, queues: [...new Set(queues)] };
      assert.deepEqual(await queue.read(), expected);
    });
});
