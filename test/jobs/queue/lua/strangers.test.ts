/**
 * Keys of a wrong type that belong to others, a line or another worker: whoever meets one goes on, and nothing is lost.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Control, type Broker } from '../../../../jobs/queue/index.ts';
import {
  answer,
  plain,
  record,
  short,
  testQueue,
  uuid,
  type State,
} from '../../../support/queue/scripts.ts';
import { WRONG } from '../../../support/app/refusals.ts';
import { step, stepReply } from '../../../support/stores/rows.ts';

const W = { workers: { '@w': 'T+60s' } };
const BAD = record('a', { queue: 'bad' });
const JOBS = { '@a': BAD, '@b': record('b') };
const DEAD = (text: string) => `f1{"code":"BROKEN"}\n${text}`;
const FOR_B = { '5@b': 'T-5s' };
const REPLIES = { 'replies:@w': { 1: '|', last: '1' } };

interface Row {
  name: string;
  broken: string;
  before: State;
  call(broker: Broker): Promise<unknown>;
  reply: unknown;
  /** The broken key left out. */
  after: State;
  /** What runs once the key is mended. */
  runs: string[];
}

function testMended(rows: readonly Row[]): void {
  for (const { name, broken, before, call, reply, after, runs } of rows) {
    test(name, async (t) => {
      const queue = testQueue(t);
      await queue.load({ ...before, [broken]: WRONG });
      const fromMs = Date.now();
      assert.deepEqual(await answer(call(queue.broker)), reply);
      const tookMs = Date.now() - fromMs;
      const { [broken]: _, ...state } = await queue.read();
      assert.deepEqual(state, after);
      const delayed = queue.broker.key(0, 'delayed');
      for (const id of Object.keys(state['delayed'] ?? {})) {
        const inMs = Math.floor(Number(await queue.redis.zscore(delayed, plain(id)))) - fromMs;
        assert.ok(inMs > 0 && inMs <= 1000 + tookMs, `${inMs} ms`);
      }
      await queue.redis.del(queue.broker.key(0, plain(broken)));
      const later = queue.another({ clockOffsetMs: 1000 });
      await later.renew(0, uuid('last'), 60_000, ['bad', 'main']);
      const round = { worker: '@last', free: 9, queues: ['bad', 'main'] };
      const { claimed } = await step(later, round);
      assert.deepEqual(short(claimed.map(({ id }) => id)).toSorted(), runs);
    });
  }
}

describe('a line that is no list: what belongs there comes again in a second, the others go on', () => {
  const aside = { delayed: { '5@a': 'T' }, 'wait:main:5': ['@b'] };
  const told = { 'inbox:@w': ['tT'] };
  const broken = 'wait:bad:5';
  testMended([
    {
      name: 'when jobs come due',
      broken,
      before: { ...W, jobs: JOBS, delayed: { '5@a': 'T-5s', ...FOR_B } },
      call: (broker) => step(broker, {}),
      reply: stepReply({ nextDueMs: 'T' }),
      after: { ...W, ...REPLIES, jobs: JOBS, ...aside, ...told },
      runs: ['@a', '@b'],
    },
    {
      name: 'when jobs come due at a heartbeat',
      broken,
      before: { ...W, jobs: JOBS, delayed: { '5@a': 'T-5s', ...FOR_B } },
      call: async (broker) => (await broker.renew(0, uuid('w'), 60_000)).nextDueMs,
      reply: 'T',
      after: { ...W, jobs: JOBS, ...aside, ...told },
      runs: ['@a', '@b'],
    },
    {
      name: 'when a round puts jobs back',
      broken,
      before: { ...W, jobs: JOBS, 'lease:@w': ['@a', '@b'] },
      call: (broker) => step(broker, { back: ['@a', 0, '1:0:', '@b', 0, ''] }),
      reply: stepReply({ nextDueMs: 'T' }),
      after: { ...W, ...REPLIES, jobs: JOBS, ...aside, ...told, counts: { '@a': '1:0:' } },
      runs: ['@a', '@b'],
    },
    {
      name: 'when their worker died',
      broken,
      before: { workers: { '@w': 'T-5s' }, jobs: JOBS, 'lease:@w': ['@a', '@b'] },
      call: (broker) => broker.reap(0),
      reply: [{ worker: '@w', jobs: 2 }],
      after: { jobs: JOBS, ...aside, counts: { '@a': '0:0:s', '@b': '0:0:s' } },
      runs: ['@a', '@b'],
    },
    {
      name: 'when their worker leaves',
      broken,
      before: { ...W, jobs: JOBS, 'lease:@w': ['@a', '@b'] },
      call: (broker) => broker.leave(0, uuid('w')),
      reply: 2,
      after: { jobs: JOBS, ...aside },
      runs: ['@a', '@b'],
    },
    {
      name: 'when dead letters are requeued',
      broken,
      before: {
        jobs: { '@a': DEAD(BAD), '@b': DEAD(record('b')) },
        failed: { '@a': 'T', '@b': 'T' },
      },
      call: (broker) => new Control(broker).requeue(['a', 'b'].map(uuid)),
      reply: ['requeued', 'requeued'],
      after: { jobs: JOBS, ...aside },
      runs: ['@a', '@b'],
    },
    {
      name: 'when the queue is purged: its other lines are',
      broken,
      before: { jobs: { '@b': record('b', { queue: 'bad', priority: 1 }) }, 'wait:bad:1': ['@b'] },
      call: (broker) => new Control(broker).purge('bad'),
      reply: 1,
      after: {},
      runs: [],
    },
  ]);
});

describe('the idle workers of a queue that are no sorted set: jobs go into line', () => {
  const broken = 'idle:main';
  const jobs = { '@b': record('b') };
  testMended([
    {
      name: 'when they come due',
      broken,
      before: { ...W, jobs, delayed: FOR_B },
      call: async (broker) => (await broker.renew(0, uuid('w'), 60_000)).nextDueMs,
      reply: undefined,
      after: { ...W, jobs, 'wait:main:5': ['@b'] },
      runs: ['@b'],
    },
    {
      name: 'when a round puts them back, of another queue than its own',
      broken,
      before: { ...W, jobs, 'lease:@w': ['@b'] },
      call: (broker) => step(broker, { queues: ['two'], back: ['@b', 0, ''] }),
      reply: stepReply(),
      after: { ...W, ...REPLIES, jobs, 'wait:main:5': ['@b'] },
      runs: ['@b'],
    },
    {
      name: 'when their worker, which served that queue, died',
      broken,
      before: {
        workers: { '@w': 'T-5s' },
        jobs,
        'lease:@w': ['@b'],
        'replies:@w': { queues: 'main' },
      },
      call: (broker) => broker.reap(0),
      reply: [{ worker: '@w', jobs: 1 }],
      after: { jobs, 'wait:main:5': ['@b'], counts: { '@b': '0:0:s' } },
      runs: ['@b'],
    },
    {
      name: 'when they are requeued',
      broken,
      before: { jobs: { '@b': DEAD(record('b')) }, failed: { '@b': 'T' } },
      call: (broker) => new Control(broker).requeue([uuid('b')]),
      reply: ['requeued'],
      after: { jobs, 'wait:main:5': ['@b'] },
      runs: ['@b'],
    },
  ]);
});
