import { describe } from 'node:test';
import { record, type State } from '../../../../support/queue/scripts.ts';
import { step, stepReply, testRows } from '../../../../support/stores/rows.ts';

const A = record('a');
const B = record('b', { priority: 2 });
const RESULT = `r1{"q":"main","n":"work","c":T,"f":T,"d":"0123456789abcdef"}\n"done"`;
const DEAD = '{"code":"BROKEN"}';
const HOLDS: State = {
  workers: { '@w': 'T+60s' },
  jobs: { '@a': A, '@b': B },
  'lease:@w': ['@a', '@b'],
};
const replies = (seq: number, memo = '|') => ({ [seq]: memo, last: String(seq) });

describe('step settles', () => {
  testRows([
    {
      name: 'a success: the result replaces the job, what was charged and reported is forgotten',
      before: { ...HOLDS, counts: { '@a': '1:0:s', '@b': '2:0:' }, progress: { '@a': '7' } },
      call: (broker) => step(broker, { known: 1, succeeded: ['@a', RESULT] }),
      reply: stepReply(),
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': RESULT, '@b': B },
        'lease:@w': ['@b'],
        counts: { '@b': '2:0:' },
        done: ['@a'],
        marks: ['T:1:91'],
        doneBytes: '91',
        events: [{ succeeded: '@a' }],
        'replies:@w': replies(1),
      },
    },
    {
      name: 'a failure: the job becomes a dead letter with its payload',
      before: { ...HOLDS, counts: { '@a': '3:0:' }, progress: { '@a': '7' } },
      call: (broker) => step(broker, { known: 1, failed: ['@a', DEAD] }),
      reply: stepReply(),
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': `f1${DEAD}\n${A}`, '@b': B },
        'lease:@w': ['@b'],
        failed: { '@a': 'T' },
        events: [{ failed: '@a' }],
        'replies:@w': replies(1),
      },
    },
    {
      name: 'a retry: the job waits aside under its priority with its new counts',
      before: HOLDS,
      call: (broker) => step(broker, { known: 1, back: ['@b', 60_000, '1:0:'] }),
      reply: stepReply({ nextDueMs: 'T+60s' }),
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': A, '@b': B },
        'lease:@w': ['@a'],
        delayed: { '2@b': 'T+60s' },
        counts: { '@b': '1:0:' },
        'replies:@w': replies(1),
      },
    },
    {
      name: 'a release: the job goes to the head of its line, its counts as they were',
      before: { ...HOLDS, 'wait:main:2': ['@c'], counts: { '@b': '1:0:' } },
      call: (broker) => step(broker, { known: 1, back: ['@b', 0, ''] }),
      reply: stepReply(),
      after: {
        ...HOLDS,
        'lease:@w': ['@a'],
        'wait:main:2': ['@b', '@c'],
        counts: { '@b': '1:0:' },
        'replies:@w': replies(1),
      },
    },
    {
      name: 'a release never to the worker that gives back, though it was idle',
      before: {
        ...HOLDS,
        'idle:main': { '@w': 'T-60s', '@v': 'T-5s' },
        free: { '@v': '1', '@w': '5' },
      },
      call: (broker) => step(broker, { back: ['@a', 0, '', '@b', 0, ''] }),
      reply: stepReply(),
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': A, '@b': B },
        'wait:main:5': ['@a'],
        'lease:@v': ['@b'],
        'inbox:@v': [`j@b\n${B}`],
        free: { '@v': '0' },
        'replies:@w': replies(1),
      },
    },
    {
      name: 'a release of a job whose record is gone: nothing of it is left',
      before: { workers: { '@w': 'T+60s' }, 'lease:@w': ['@a'] },
      call: (broker) => step(broker, { back: ['@a', 0, '1:0:'] }),
      reply: stepReply(),
      after: { workers: { '@w': 'T+60s' }, 'replies:@w': replies(1) },
    },
    {
      name: 'only what the worker leases: of the others nothing is written, and they are named',
      before: { ...HOLDS, 'lease:@w': ['@b'], 'lease:@v': ['@a'], counts: { '@a': '1:0:' } },
      call: (broker) =>
        step(broker, {
          known: 1,
          succeeded: ['@a', RESULT],
          back: ['@a', 0, '9:0:', '@a', 60_000, '9:0:'],
          failed: ['@a', DEAD, '@x', DEAD],
        }),
      reply: stepReply({ lost: ['@a', '@a', '@a', '@a', '@x'] }),
      after: {
        ...HOLDS,
        'lease:@w': ['@b'],
        'lease:@v': ['@a'],
        counts: { '@a': '1:0:' },
        'replies:@w': replies(1, '|@a,@a,@a,@a,@x'),
      },
    },
    {
      name: 'once: a job told to have ended in two ways ended in the first',
      before: HOLDS,
      call: (broker) => step(broker, { known: 1, succeeded: ['@a', RESULT], failed: ['@a', DEAD] }),
      reply: stepReply({ lost: ['@a'] }),
      after: {
        workers: { '@w': 'T+60s' },
        jobs: { '@a': RESULT, '@b': B },
        'lease:@w': ['@b'],
        done: ['@a'],
        marks: ['T:1:91'],
        doneBytes: '91',
        events: [{ succeeded: '@a' }],
        'replies:@w': replies(1, '|@a'),
      },
    },
    {
      name: 'and drops the oldest batches of finished jobs beyond the count that is kept',
      before: {
        ...HOLDS,
        jobs: { '@a': A, '@b': B, '@c': RESULT, '@d': RESULT, '@e': RESULT },
        meta: { keepCount: '2', keepMs: '60000', keepBytes: '1000' },
        done: ['@c', '@d', '@e'],
        marks: ['T-5s:2:138', 'T-5s:1:69'],
        doneBytes: '207',
      },
      call: (broker) => step(broker, { known: 1, succeeded: ['@a', RESULT] }),
      reply: stepReply(),
      after: {
        ...HOLDS,
        jobs: { '@a': RESULT, '@b': B, '@e': RESULT },
        'lease:@w': ['@b'],
        meta: { keepCount: '2', keepMs: '60000', keepBytes: '1000' },
        done: ['@e', '@a'],
        marks: ['T-5s:1:69', 'T:1:91'],
        doneBytes: '160',
        events: [{ succeeded: '@a' }],
        'replies:@w': replies(1),
      },
    },
  ]);
});
