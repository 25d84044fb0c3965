import { describe } from 'node:test';
import { Control, Inspector } from '../../../../../jobs/queue/index.ts';
import { plain, record, uuid, type State } from '../../../../support/queue/scripts.ts';
import { leased, testRows } from '../../../../support/stores/rows.ts';

const A = record('a');
const B = record('b');
const ONE_OF_EACH: State = {
  workers: { '@w': 'T+10s' },
  jobs: {
    '@pending': record('pending'),
    '@active': record('active'),
    '@scheduled': record('scheduled'),
    '@retrying': record('retrying'),
    '@succeeded': 'r1{"q":"main","n":"work","c":T,"f":T,"d":"00"}\n[7]',
    '@failed': `f1{"code":"BROKEN","message":"no"}\n${record('failed')}`,
    '@revoked': `x1{"code":"REVOKED"}\n${record('revoked')}`,
  },
  'wait:main:5': ['@pending'],
  'lease:@w': ['@active'],
  delayed: { '5@scheduled': 'T+60s', '5@retrying': 'T+60s' },
  counts: { '@retrying': '2:0:' },
  progress: { '@active': '0.5' },
  failed: { '@failed': 'T' },
};

describe('status', () => {
  testRows([
    {
      name: 'tells every state apart and changes none',
      before: ONE_OF_EACH,
      call: async (broker) => {
        const ids = [...Object.keys(ONE_OF_EACH['jobs'] as object), '@unknown'];
        const all = await new Inspector(broker).statuses(ids.map((id) => uuid(id.slice(1))));
        return all.map(({ id, state, counts, progress, result, reason }) => [
          id,
          state,
          counts.attempts,
          progress ?? result ?? reason?.code,
        ]);
      },
      reply: [
        ['@pending', 'pending', 0, undefined],
        ['@active', 'active', 0, '0.5'],
        ['@scheduled', 'scheduled', 0, undefined],
        ['@retrying', 'retrying', 2, undefined],
        ['@succeeded', 'succeeded', 0, '[7]'],
        ['@failed', 'failed', 0, 'BROKEN'],
        ['@revoked', 'revoked', 0, 'REVOKED'],
        ['@unknown', 'unknown', 0, undefined],
      ],
    },
  ]);
});

describe('control', () => {
  const revokedEvents = (name: string) => ({
    done: [`@${name}`],
    events: [{ revoked: `@${name}` }],
  });
  testRows([
    {
      name: 'revokes a running job: its lease is gone and its worker is told',
      before: {
        workers: { '@w': 'T+10s' },
        jobs: { '@a': A },
        'lease:@w': ['@a'],
        counts: { '@a': '1:0:' },
        progress: { '@a': '1' },
      },
      call: (broker) => new Control(broker).revoke([uuid('a'), uuid('z')]),
      reply: ['revoked', 'unknown'],
      after: {
        workers: { '@w': 'T+10s' },
        jobs: { '@a': `x1{"attempts":1,"code":"REVOKED"}\n${A}` },
        'inbox:@w': ['r@a'],
        ...revokedEvents('a'),
        marks: ['T:1:60'],
        doneBytes: '60',
      },
    },
    {
      name: 'revokes a delayed job, and leaves a waiting one in line for the claim to drop',
      before: { jobs: { '@a': A, '@b': B }, delayed: { '5@a': 'T+60s' }, 'wait:main:5': ['@b'] },
      call: (broker) => new Control(broker).revoke([uuid('a'), uuid('b')]),
      reply: ['revoked', 'revoked'],
      after: {
        jobs: { '@a': `x1{"code":"REVOKED"}\n${A}`, '@b': `x1{"code":"REVOKED"}\n${B}` },
        'wait:main:5': ['@b'],
        done: ['@a'],
        events: [{ revoked: '@a,@b' }],
        marks: ['T:1:60'],
        doneBytes: '60',
      },
    },
    {
      name: 'requeues dead letters only, uncharged and at the end of their line',
      before: {
        jobs: { '@a': `f1{"code":"BROKEN"}\n${A}`, '@b': B },
        failed: { '@a': 'T' },
        'wait:main:5': ['@b'],
      },
      call: (broker) => new Control(broker).requeue([uuid('a'), uuid('b'), uuid('z')]),
      reply: ['requeued', 'not_failed', 'not_failed'],
      after: { jobs: { '@a': A, '@b': B }, 'wait:main:5': ['@b', '@a'] },
    },
    {
      name: 'purges a queue and whatever was kept for its jobs',
      before: {
        jobs: { '@a': A, '@b': record('b', { queue: 'two' }) },
        'wait:main:5': ['@a'],
        'wait:two:5': ['@b'],
        counts: { '@a': '1:0:s', '@b': '1:0:' },
        progress: { '@a': '7', '@b': '7' },
      },
      call: (broker) => new Control(broker).purge('main'),
      reply: 1,
      after: {
        jobs: { '@b': record('b', { queue: 'two' }) },
        'wait:two:5': ['@b'],
        counts: { '@b': '1:0:' },
        progress: { '@b': '7' },
      },
    },
  ]);
});

describe('leased', () => {
  testRows([
    {
      name: 'tells what a worker leases in full, and nothing of the others',
      before: { jobs: { '@a': A, '@b': A }, 'lease:@w': ['@a'], counts: { '@a': '1:0:' } },
      call: (broker) => broker.leased(0, uuid('w'), plain(['@b', '@a', '@c'])),
      reply: [leased('a', A, '1:0:')],
    },
  ]);
});
