import { describe } from 'node:test';
import { plain, record, uuid, type State } from '../../../../support/queue/scripts.ts';
import { testRows } from '../../../../support/stores/rows.ts';

const W = () => uuid('w');
const A = record('a');
const B = record('b', { priority: 2 });
const RESULT = `r1{"q":"main","n":"work","c":T,"f":T,"d":"0123456789abcdef"}\n"done"`;
const HOLDS: State = {
  workers: { '@w': 'T+10s' },
  jobs: { '@a': A, '@b': B },
  'lease:@w': ['@a', '@b'],
};

describe('renew', () => {
  testRows([
    {
      name: 'registers a worker with its queues',
      before: { delayed: { '5@a': 'T+60s' } },
      call: (broker) => broker.renew(0, W(), 30_000, ['main', 'two']),
      reply: { nowMs: 'T', nextDueMs: 'T+60s' },
      after: {
        delayed: { '5@a': 'T+60s' },
        workers: { '@w': 'T+30s' },
        'replies:@w': { queues: 'main,two' },
      },
    },
    {
      name: 'moves the deadline of a registered worker and nothing else',
      before: { workers: { '@v': 'T+10s', '@w': 'T+10s' }, 'lease:@w': ['@a'] },
      call: (broker) => broker.renew(0, W(), 30_000),
      reply: { nowMs: 'T', nextDueMs: undefined },
      after: { workers: { '@v': 'T+10s', '@w': 'T+30s' }, 'lease:@w': ['@a'] },
    },
    {
      name: 'never brings back a worker that was reaped',
      before: { workers: { '@v': 'T+10s' }, jobs: { '@a': A }, 'wait:main:5': ['@a'] },
      call: (broker) => broker.renew(0, W(), 30_000),
      reply: 'WORKER_UNKNOWN',
    },
    {
      name: 'promotes what is due and drops finished jobs past their time',
      before: {
        workers: { '@w': 'T+10s' },
        jobs: { '@a': A, '@b': RESULT },
        delayed: { '5@a': 'T-5s' },
        meta: { keepCount: '10', keepMs: '60000', keepBytes: '1000' },
        done: ['@b'],
        marks: ['T-120s:1:91'],
        doneBytes: '91',
      },
      call: (broker) => broker.renew(0, W(), 30_000),
      reply: { nowMs: 'T', nextDueMs: undefined },
      after: {
        workers: { '@w': 'T+30s' },
        jobs: { '@a': A },
        'wait:main:5': ['@a'],
        meta: { keepCount: '10', keepMs: '60000', keepBytes: '1000' },
        doneBytes: '0',
      },
    },
  ]);
});

describe('reap', () => {
  testRows([
    {
      name: 'leaves the living alone',
      before: HOLDS,
      call: (broker) => broker.reap(0),
      reply: [],
    },
    {
      name: 'gives back what a dead worker held: the started suspect, the unstarted uncharged, both first in line',
      before: {
        ...HOLDS,
        workers: { '@v': 'T+10s', '@w': 'T-5s' },
        'wait:main:5': ['@c'],
        'inbox:@w': [`j@b\n${B}`, 'tT+60s'],
        'replies:@w': { 3: '@a|', last: '3', queues: 'main,two' },
        'idle:main': { '@v': 'T', '@w': 'T' },
        free: { '@w': '3' },
        progress: { '@a': '7' },
      },
      call: (broker) => broker.reap(0),
      reply: [{ worker: '@w', jobs: 2 }],
      after: {
        jobs: { '@a': A, '@b': B },
        workers: { '@v': 'T+10s' },
        'wait:main:5': ['@a', '@c'],
        'wait:main:2': ['@b'],
        counts: { '@a': '0:0:s' },
        progress: { '@a': '7' },
      },
    },
    {
      name: 'charges a death only to a job that ran alone',
      before: {
        ...HOLDS,
        workers: { '@w': 'T-5s' },
        counts: { '@a': '2:1:r', '@b': '2:1::7' },
      },
      call: (broker) => broker.reap(0),
      reply: [{ worker: '@w', jobs: 2 }],
      after: {
        jobs: { '@a': A, '@b': B },
        'wait:main:5': ['@a'],
        'wait:main:2': ['@b'],
        counts: { '@a': '2:2:s', '@b': '2:1:s:7' },
      },
    },
    {
      name: 'hands the jobs to an idle worker at once',
      before: {
        workers: { '@v': 'T+10s', '@w': 'T-5s' },
        jobs: { '@a': A },
        'lease:@w': ['@a'],
        'idle:main': { '@v': 'T' },
        free: { '@v': '1' },
      },
      call: (broker) => broker.reap(0),
      reply: [{ worker: '@w', jobs: 1 }],
      after: {
        workers: { '@v': 'T+10s' },
        jobs: { '@a': A },
        'lease:@v': ['@a'],
        'inbox:@v': [`j@a0:0:s\n${A}`],
        'idle:main': { '@v': 'T+1000000s' },
        free: { '@v': '0' },
        counts: { '@a': '0:0:s' },
      },
    },
    {
      name: 'moves all jobs of a worker together, and looks at no further one past its limit',
      before: {
        workers: { '@w': 'T-10s', '@v': 'T-5s' },
        jobs: { '@a': A, '@b': B },
        'lease:@w': ['@a'],
        'inbox:@w': [`j@a\n${A}`],
        'lease:@v': ['@b'],
        free: { '@w': '1' },
      },
      call: (broker) => broker.reap(0, 1),
      reply: [{ worker: '@w', jobs: 1 }],
      after: {
        workers: { '@v': 'T-5s' },
        jobs: { '@a': A, '@b': B },
        'wait:main:5': ['@a'],
        'lease:@v': ['@b'],
      },
    },
    {
      name: 'drops ids without a record',
      before: { workers: { '@w': 'T-5s' }, 'lease:@w': ['@gone'] },
      call: (broker) => broker.reap(0),
      reply: [{ worker: '@w', jobs: 1 }],
      after: {},
    },
  ]);
});

describe('resync', () => {
  testRows([
    {
      name: 'empties the inbox and tells what is leased',
      before: {
        workers: { '@w': 'T+10s' },
        jobs: { '@a': A },
        'lease:@w': ['@a'],
        'inbox:@w': [`j@a\n${A}`],
        counts: { '@a': '1:0:' },
      },
      call: (broker) => broker.resync(0, W()),
      reply: ['@a'],
      after: {
        workers: { '@w': 'T+10s' },
        jobs: { '@a': A },
        'lease:@w': ['@a'],
        counts: { '@a': '1:0:' },
      },
    },
    {
      name: 'is refused to a worker that is not registered',
      before: { 'inbox:@w': ['tT+60s'] },
      call: (broker) => broker.resync(0, W()),
      reply: 'WORKER_UNKNOWN',
    },
  ]);
});

describe('leave', () => {
  testRows([
    {
      name: 'gives everything back uncharged and leaves no key behind',
      before: {
        ...HOLDS,
        'wait:main:5': ['@c'],
        'inbox:@w': [`j@b\n${B}`],
        'replies:@w': { 3: '@a|', last: '3', queues: 'main' },
        'idle:main': { '@w': 'T' },
        free: { '@w': '3' },
        counts: { '@a': '1:0:', '@b': '1:0:r:2' },
      },
      call: (broker) => broker.leave(0, W()),
      reply: 2,
      after: {
        jobs: { '@a': A, '@b': B },
        'wait:main:5': ['@a', '@c'],
        'wait:main:2': ['@b'],
        counts: { '@a': '1:0:', '@b': '1:0:s:2' },
      },
    },
  ]);
});

describe('mark and progress', () => {
  testRows([
    {
      name: 'mark replaces the counts of a leased job',
      before: { ...HOLDS, counts: { '@a': '1:0:s' } },
      call: (broker) => broker.mark(0, W(), uuid('a'), { attempts: 1, deaths: 0, mark: 'r' }),
      reply: true,
      after: { ...HOLDS, counts: { '@a': '1:0:r' } },
    },
    {
      name: 'mark writes nothing for a job of another worker',
      before: { 'lease:@v': ['@a'], jobs: { '@a': A } },
      call: (broker) => broker.mark(0, W(), uuid('a'), { attempts: 1, deaths: 0, mark: 'r' }),
      reply: false,
    },
    {
      name: 'progress is kept for a leased job',
      before: HOLDS,
      call: (broker) => broker.progress(0, W(), uuid('a'), '{"done":7}'),
      reply: undefined,
      after: { ...HOLDS, progress: { '@a': '{"done":7}' } },
    },
    {
      name: 'progress of a job of another worker is dropped',
      before: { 'lease:@v': ['@a'], jobs: { '@a': A } },
      call: (broker) => broker.progress(0, W(), uuid('a'), plain('1')),
      reply: undefined,
    },
  ]);
});
