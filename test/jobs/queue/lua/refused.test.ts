/**
 * Every script but `enqueue` and `step` (scripts.types.test.ts) with a key of a wrong type among those it writes: it is
 * refused, and nothing was written.
 */
import { describe } from 'node:test';
import { Control } from '../../../../jobs/queue/index.ts';
import { record, uuid, type State } from '../../../support/queue/scripts.ts';
import { refuses } from '../../../support/app/refusals.ts';

const W = uuid('w');
const LIMITS = { keepCount: '10', keepMs: '60000', keepBytes: '1000' };
const RETAINS = ['done', 'marks', 'doneBytes', 'meta'];
const PLACES = ['delayed', 'counts', 'free', 'paused'];
const OWN = ['lease:@w', 'inbox:@w', 'replies:@w'];

/** A worker that runs `a` and has been handed `b`. */
const HOLDS: State = {
  workers: { '@w': 'T+60s' },
  jobs: { '@a': record('a'), '@b': record('b'), '@c': record('c') },
  'lease:@w': ['@a', '@b'],
  'inbox:@w': [`j@b\n${record('b')}`],
  'replies:@w': { queues: 'main' },
  counts: { '@a': '1:0:r' },
  progress: { '@a': '7' },
  'idle:main': { '@v': 'T-5s' },
  free: { '@v': '5' },
};

describe('a heartbeat is refused for', () => {
  const due: State = {
    ...HOLDS,
    delayed: { '5@c': 'T-5s' },
    meta: LIMITS,
    done: ['@z'],
    marks: ['1:1:1'],
    doneBytes: '1',
  };
  refuses(['workers', 'jobs', ...PLACES, ...RETAINS, ...OWN], due, (broker) =>
    broker.renew(0, W, 60_000, ['main']),
  );
});

describe('recovery from a dead worker is refused for', () => {
  const dead: State = { ...HOLDS, workers: { '@w': 'T-5s' } };
  refuses(['workers', 'jobs', 'failed', 'progress', ...PLACES], dead, (broker) => broker.reap(0));
});

describe('a leave is refused for', () => {
  refuses(['workers', 'jobs', 'failed', 'progress', ...PLACES, ...OWN], HOLDS, (broker) =>
    broker.leave(0, W),
  );
});

describe('a resync is refused for', () => {
  refuses(['workers', ...OWN], HOLDS, (broker) => broker.resync(0, W));
});

describe('the mark of a job that is to run alone is refused for', () => {
  refuses(['counts', 'lease:@w'], HOLDS, (broker) =>
    broker.mark(0, W, uuid('a'), { attempts: 1, deaths: 0, mark: 'r' }),
  );
});

describe('progress is refused for', () => {
  refuses(['progress', 'lease:@w'], HOLDS, (broker) => broker.progress(0, W, uuid('a'), '8'));
});

describe('a revoke of a running and a delayed job is refused for', () => {
  const keys = ['workers', 'jobs', 'delayed', 'counts', 'progress', 'events', ...RETAINS];
  const before = { ...HOLDS, delayed: { '5@c': 'T+60s' }, meta: LIMITS };
  refuses(keys, before, (broker) => new Control(broker).revoke(['a', 'c'].map(uuid)));
});

describe('a requeue is refused for', () => {
  const before: State = {
    ...HOLDS,
    jobs: { '@c': `f1{"code":"BROKEN"}\n${record('c')}` },
    failed: { '@c': 'T' },
  };
  refuses(['jobs', 'failed', ...PLACES], before, (broker) =>
    new Control(broker).requeue([uuid('c')]),
  );
});

describe('a reschedule is refused for', () => {
  const before = { ...HOLDS, delayed: { '5@c': 'T+60s' } };
  refuses(['jobs', 'delayed', 'workers'], before, (broker) =>
    new Control(broker).reschedule(uuid('c'), 30_000),
  );
});

describe('a purge of a queue is refused for', () => {
  const before: State = {
    jobs: { '@a': `x1{"code":"REVOKED"}\n${record('a')}`, '@c': record('c') },
    'wait:main:5': ['@a', '@c'],
    meta: LIMITS,
  };
  refuses(['jobs', 'counts', 'progress', ...RETAINS], before, (broker) =>
    new Control(broker).purge('main'),
  );
});

describe('a purge of the dead letters is refused for', () => {
  const before: State = {
    jobs: { '@a': `f1{"code":"BROKEN"}\n${record('a')}` },
    failed: { '@a': 'T' },
  };
  refuses(['jobs', 'failed', 'counts', 'progress'], before, (broker) =>
    new Control(broker).purgeFailed(),
  );
});

describe('a pause is refused for', () => {
  refuses(['paused'], HOLDS, (broker) => new Control(broker).pause('main'));
});

describe('a resume is refused for', () => {
  refuses(['paused', 'workers'], { ...HOLDS, paused: ['main'] }, (broker) =>
    new Control(broker).resume('main'),
  );
});
