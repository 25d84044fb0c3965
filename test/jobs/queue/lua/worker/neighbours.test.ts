/**
 * A worker with a key of a wrong type harms itself alone: it is handed nothing, and whoever meets it goes on.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Control, type Broker } from '../../../../../jobs/queue/index.ts';
import {
  answer,
  plain,
  record,
  request,
  testQueue,
  uuid,
  type State,
} from '../../../../support/queue/scripts.ts';
import { WRONG } from '../../../../support/app/refusals.ts';

interface Row {
  name: string;
  before: State;
  call(broker: Broker): Promise<unknown>;
  reply: unknown;
  /** The broken key left out. */
  after: State;
}

/** The same with each of these keys broken. */
function testBroken(keys: readonly string[], rows: readonly Row[]): void {
  for (const key of keys) {
    for (const { name, before, call, reply, after } of rows) {
      test(`${key}: ${name}`, async (t) => {
        const queue = testQueue(t);
        await queue.load({ ...before, [key]: WRONG });
        assert.deepEqual(await answer(call(queue.broker)), reply);
        const { [key]: left, ...state } = await queue.read();
        assert.deepEqual(state, after);
        assert.ok(left === WRONG || left === undefined, 'it was not written to');
        await queue.redis.del(queue.broker.key(0, plain(key)));
      });
    }
  }
}

const A = record('a');
const JOB = { jobs: { '@a': A } };
const IDLE: State = { 'idle:main': { '@v': 'T-60s' }, free: { '@v': '5' } };
const BOTH: State = {
  'idle:main': { '@u': 'T-5s', '@v': 'T-60s' },
  free: { '@u': '5', '@v': '5' },
};
const LINED = { ...JOB, 'wait:main:5': ['@a'], free: { '@v': '5' } };
const ALIVE = { workers: { '@v': 'T+60s', '@w': 'T+60s' } };

describe('an idle worker that cannot get jobs', () => {
  testBroken(
    ['lease:@v', 'inbox:@v'],
    [
      {
        name: 'is passed over: a new job goes into line',
        before: IDLE,
        call: (broker) => broker.enqueue(0, [request('a')]),
        reply: ['added'],
        after: { ...LINED, queues: ['main'] },
      },
      {
        name: 'is passed over: a new job goes to the next',
        before: BOTH,
        call: (broker) => broker.enqueue(0, [request('a')]),
        reply: ['added'],
        after: {
          ...JOB,
          'idle:main': { '@u': 'T+999995s' },
          'lease:@u': ['@a'],
          'inbox:@u': [`j@a\n${A}`],
          free: { '@u': '4', '@v': '5' },
          queues: ['main'],
        },
      },
      {
        name: 'is not told of a job it would have to claim',
        before: BOTH,
        call: (broker) => broker.enqueue(0, [request('a', { expiresInMs: 60_000 })]),
        reply: ['added'],
        after: {
          jobs: { '@a': record('a', { expires: 'T+60s' }) },
          'wait:main:5': ['@a'],
          'inbox:@u': ['c'],
          free: { '@v': '5' },
          queues: ['main'],
        },
      },
      {
        name: 'is passed over by a job that comes due',
        before: { ...IDLE, workers: { '@w': 'T+60s' }, ...JOB, delayed: { '5@a': 'T-5s' } },
        call: async (broker) => (await broker.renew(0, uuid('w'), 60_000)).nextDueMs,
        reply: undefined,
        after: { ...LINED, workers: { '@w': 'T+60s' } },
      },
      {
        name: 'is passed over by a job that is given back',
        before: { ...IDLE, workers: { '@w': 'T+60s' }, ...JOB, 'lease:@w': ['@a'] },
        call: (broker) => broker.leave(0, uuid('w')),
        reply: 1,
        after: LINED,
      },
      {
        name: 'is passed over by a job that is requeued',
        before: { ...IDLE, jobs: { '@a': `f1{"code":"BROKEN"}\n${A}` }, failed: { '@a': 'T' } },
        call: (broker) => new Control(broker).requeue([uuid('a')]),
        reply: ['requeued'],
        after: LINED,
      },
    ],
  );
});

describe('a worker that died', () => {
  testBroken(
    ['lease:@v', 'inbox:@v', 'replies:@v'],
    [
      {
        name: 'is forgotten, and the jobs of the next that died are put back',
        before: {
          workers: { '@v': 'T-60s', '@w': 'T-5s' },
          ...JOB,
          'lease:@w': ['@a'],
        },
        call: (broker) => broker.reap(0),
        reply: [
          { worker: '@v', jobs: 0 },
          { worker: '@w', jobs: 1 },
        ],
        after: { ...JOB, 'wait:main:5': ['@a'], counts: { '@a': '0:0:s' } },
      },
    ],
  );
});

const REVOKED = {
  jobs: { '@a': `x1{"code":"REVOKED"}\n${A}` },
  done: ['@a'],
  marks: ['T:1:60'],
  doneBytes: '60',
  events: [{ revoked: '@a' }],
};

describe('another worker', () => {
  testBroken(
    ['lease:@v', 'inbox:@v'],
    [
      {
        name: 'does not hide who runs a job that is revoked',
        before: { ...ALIVE, ...JOB, 'lease:@w': ['@a'] },
        call: (broker) => new Control(broker).revoke([uuid('a')]),
        reply: ['revoked'],
        after: { ...ALIVE, ...REVOKED, 'inbox:@w': ['r@a'] },
      },
    ],
  );
  testBroken(
    ['inbox:@v'],
    [
      {
        name: 'does not keep others from being told of an earlier due time',
        before: { ...ALIVE, ...JOB, delayed: { '5@a': 'T+60s' } },
        call: (broker) => new Control(broker).reschedule(uuid('a'), 30_000),
        reply: 'rescheduled',
        after: { ...ALIVE, ...JOB, delayed: { '5@a': 'T+30s' }, 'inbox:@w': ['tT+30s'] },
      },
      {
        name: 'does not keep others from being told that a queue was resumed',
        before: { ...ALIVE, 'idle:main': { '@v': 'T', '@w': 'T' }, paused: ['main'] },
        call: (broker) => new Control(broker).resume('main'),
        reply: undefined,
        after: { ...ALIVE, 'inbox:@w': ['c'] },
      },
      {
        name: 'whose job is revoked has lost it, though it cannot be told',
        before: { ...ALIVE, ...JOB, 'lease:@v': ['@a'] },
        call: (broker) => new Control(broker).revoke([uuid('a')]),
        reply: ['revoked'],
        after: { ...ALIVE, ...REVOKED },
      },
    ],
  );
});
