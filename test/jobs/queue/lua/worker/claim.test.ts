import { describe } from 'node:test';
import { record, type State } from '../../../../support/queue/scripts.ts';
import { leased, step, stepReply, testRows } from '../../../../support/stores/rows.ts';

const A = record('a');
const B = record('b', { priority: 9 });
const C = record('c', { priority: 0 });
const WORKER = { workers: { '@w': 'T+60s' } };
const LINES: State = {
  ...WORKER,
  jobs: { '@a': A, '@b': B, '@c': C },
  'wait:main:5': ['@a'],
  'wait:main:9': ['@b'],
  'wait:main:0': ['@c'],
};
const replies = (seq: number, memo = '|') => ({ [seq]: memo, last: String(seq) });
const CORRUPT = 'f1{"code":"RECORD_CORRUPT"}\n';

describe('step claims', () => {
  testRows([
    {
      name: 'the highest priority first, and says that more may wait',
      before: LINES,
      call: (broker) => step(broker, { free: 2 }),
      reply: stepReply({ more: true, claimed: [leased('b', B), leased('a', A)] }),
      after: {
        ...WORKER,
        jobs: LINES['jobs'],
        'wait:main:0': ['@c'],
        'lease:@w': ['@a', '@b'],
        'replies:@w': replies(1, '@b,@a|'),
      },
    },
    {
      name: 'the lowest priority first in every sixteenth round',
      before: LINES,
      call: (broker) => step(broker, { seq: 16, free: 1 }),
      reply: stepReply({ more: true, claimed: [leased('c', C)] }),
      after: {
        ...WORKER,
        jobs: LINES['jobs'],
        'wait:main:5': ['@a'],
        'wait:main:9': ['@b'],
        'lease:@w': ['@c'],
        'replies:@w': replies(16, '@c|'),
      },
    },
    {
      name: 'from its queues in turn, and not from paused ones',
      before: {
        ...WORKER,
        jobs: {
          '@a': A,
          '@b': record('b', { queue: 'two' }),
          '@c': record('c', { queue: 'shut' }),
        },
        'wait:main:5': ['@a'],
        'wait:two:5': ['@b'],
        'wait:shut:5': ['@c'],
        paused: ['shut'],
      },
      call: (broker) => step(broker, { seq: 2, free: 1, queues: ['shut', 'main', 'two'] }),
      reply: stepReply({ more: true, claimed: [leased('b', record('b', { queue: 'two' }))] }),
      after: {
        ...WORKER,
        jobs: {
          '@a': A,
          '@b': record('b', { queue: 'two' }),
          '@c': record('c', { queue: 'shut' }),
        },
        'wait:main:5': ['@a'],
        'wait:shut:5': ['@c'],
        paused: ['shut'],
        'lease:@w': ['@b'],
        'replies:@w': replies(2, '@b|'),
      },
    },
    {
      name: 'with what was charged so far, and waits for the room that is left',
      before: { ...WORKER, jobs: { '@a': A }, 'wait:main:5': ['@a'], counts: { '@a': '1:2:s' } },
      call: (broker) => step(broker, { free: 3, queues: ['main', 'two'] }),
      reply: stepReply({ claimed: [leased('a', A, '1:2:s')] }),
      after: {
        ...WORKER,
        jobs: { '@a': A },
        counts: { '@a': '1:2:s' },
        'lease:@w': ['@a'],
        'idle:main': { '@w': 'T' },
        'idle:two': { '@w': 'T' },
        free: { '@w': '2' },
        'replies:@w': replies(1, '@a|'),
      },
    },
    {
      name: 'nothing into slots that handed over jobs have taken meanwhile',
      before: { ...LINES, 'lease:@w': ['@x', '@y'], free: { '@w': '0' } },
      call: (broker) => step(broker, { free: 2, known: 0 }),
      reply: stepReply(),
      after: { ...LINES, 'lease:@w': ['@x', '@y'], 'replies:@w': replies(1) },
    },
    {
      name: 'never more than it was asked for, even if the worker believes in leases it lost',
      before: LINES,
      call: (broker) => step(broker, { free: 1, known: 5 }),
      reply: stepReply({ more: true, claimed: [leased('b', B)] }),
      after: {
        ...WORKER,
        jobs: LINES['jobs'],
        'wait:main:5': ['@a'],
        'wait:main:0': ['@c'],
        'lease:@w': ['@b'],
        'replies:@w': replies(1, '@b|'),
      },
    },
    {
      name: 'nothing when it has no room, and is idle no longer',
      before: { ...LINES, 'idle:main': { '@w': 'T-5s' }, free: { '@w': '1' } },
      call: (broker) => step(broker, { free: 0 }),
      reply: stepReply(),
      after: { ...LINES, 'idle:main': { '@w': 'T-5s' }, 'replies:@w': replies(1) },
    },
    {
      name: 'jobs that became due, at most a hundred in a round, under their priorities',
      before: {
        ...WORKER,
        jobs: { '@a': A, '@b': B, '@c': C },
        delayed: { '5@a': 'T-5s', '9@b': 'T-10s', '0@c': 'T+60s', '5@gone': 'T-20s' },
      },
      call: (broker) => step(broker, {}),
      reply: stepReply({ nextDueMs: 'T+60s' }),
      after: {
        ...WORKER,
        jobs: { '@a': A, '@b': B, '@c': C },
        delayed: { '0@c': 'T+60s' },
        'wait:main:5': ['@a'],
        'wait:main:9': ['@b'],
        'replies:@w': replies(1),
      },
    },
  ]);
});

describe('step passes over', () => {
  const expired = record('a', { expires: 'T-5s' });
  const fresh = record('a', { expires: 'T+60s' });
  testRows([
    {
      name: 'a job that expired: it ends there, with all that was kept for it',
      before: {
        ...WORKER,
        jobs: { '@a': expired },
        'wait:main:5': ['@a'],
        counts: { '@a': '1:0:', '@z': '1:0:' },
        progress: { '@a': '7' },
      },
      call: (broker) => step(broker, { free: 1 }),
      reply: stepReply({ more: true }),
      after: {
        ...WORKER,
        jobs: { '@a': `x1{"attempts":1,"code":"JOB_EXPIRED"}\n${expired}` },
        counts: { '@z': '1:0:' },
        done: ['@a'],
        marks: ['T:1:78'],
        doneBytes: '78',
        events: [{ revoked: '@a' }],
        'replies:@w': replies(1),
      },
    },
    {
      name: 'no job that expires later',
      before: { ...WORKER, jobs: { '@a': fresh }, 'wait:main:5': ['@a'] },
      call: (broker) => step(broker, { free: 1 }),
      reply: stepReply({ more: true, claimed: [leased('a', fresh)] }),
      after: {
        ...WORKER,
        jobs: { '@a': fresh },
        'lease:@w': ['@a'],
        'replies:@w': replies(1, '@a|'),
      },
    },
    {
      name: 'a revoked job, kept from now on like any that ended, and an id without a record',
      before: {
        ...WORKER,
        jobs: { '@a': `x1{"code":"REVOKED"}\n${A}`, '@b': B },
        'wait:main:5': ['@a', '@gone', '@b'],
      },
      call: (broker) => step(broker, { free: 3 }),
      reply: stepReply({ more: true, claimed: [leased('b', B)] }),
      after: {
        ...WORKER,
        jobs: { '@a': `x1{"code":"REVOKED"}\n${A}`, '@b': B },
        'lease:@w': ['@b'],
        done: ['@a'],
        marks: ['T:1:81'],
        doneBytes: '81',
        'replies:@w': replies(1, '@b|'),
      },
    },
    {
      name: 'garbage, which becomes a dead letter',
      before: { ...WORKER, jobs: { '@a': 'what?', '@b': B }, 'wait:main:5': ['@a', '@b'] },
      call: (broker) => step(broker, { free: 2 }),
      reply: stepReply({ more: true, claimed: [leased('b', B)] }),
      after: {
        ...WORKER,
        jobs: { '@a': `${CORRUPT}what?`, '@b': B },
        failed: { '@a': 'T' },
        events: [{ failed: '@a' }],
        'lease:@w': ['@b'],
        'replies:@w': replies(1, '@b|'),
      },
    },
  ]);
});
