/**
 * A call from outside whose answer was lost is sent again under the same number: it acts once, and is told the same.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Control, Inspector, type Broker } from '../../../../../jobs/queue/index.ts';
import type { ScriptName } from '../../../../../jobs/queue/broker/scripts.ts';
import { eventually } from '../../../../support/queue/consumers.ts';
import { startFlakyProxy } from '../../../../support/stores/flaky-proxy.ts';
import {
  answer,
  plain,
  record,
  redisUrl,
  request,
  short,
  testQueue,
  uuid,
  type State,
  type TestQueue,
} from '../../../../support/queue/scripts.ts';
import { step } from '../../../../support/stores/rows.ts';

const W = { workers: { '@w': 'T+60s' } };
const DEAD = (name: string) => `f1{"code":"BROKEN"}\n${record(name)}`;
const REASON = '{"code":"REVOKED"}';

/** Claims what waits and fails `a`. */
async function runAndFail(broker: Broker): Promise<void> {
  const { claimed } = await step(broker, { free: 1 });
  assert.deepEqual(short(claimed.map(({ id }) => id)), ['@a']);
  await step(broker, { seq: 2, failed: ['@a', '{"code":"BROKEN"}'] });
}

interface Call {
  name: string;
  script: ScriptName;
  args: (string | number)[];
  before: State;
  reply: unknown;
  /** What goes on before the call is sent again. */
  meanwhile(broker: Broker): Promise<unknown>;
  /** What a new call comes to then. */
  anew: unknown;
  /** Parts of the state before and after the new call. */
  parts: [before: State, after: State];
}

const CALLS: Call[] = [
  {
    name: 'requeue, of a job that ran and failed again',
    script: 'requeue',
    args: ['@a', '@unknown'],
    before: { ...W, jobs: { '@a': DEAD('a') }, failed: { '@a': 'T' } },
    reply: ['requeued', 'not_failed'],
    meanwhile: runAndFail,
    anew: ['requeued', 'not_failed'],
    parts: [{ failed: { '@a': 'T' } }, { 'wait:main:5': ['@a'] }],
  },
  {
    name: 'revoke, of a job that was forgotten and added again',
    script: 'revoke',
    args: [REASON, '@a', '@unknown'],
    before: {
      ...W,
      jobs: { '@a': record('a') },
      'wait:main:5': ['@a'],
      meta: { keepCount: '0', keepMs: '0', keepBytes: '0' },
    },
    reply: ['revoked', 'unknown'],
    meanwhile: async (broker) => {
      await step(broker, { free: 1 });
      assert.deepEqual(await broker.enqueue(0, [request('a')]), ['added']);
    },
    anew: ['revoked', 'unknown'],
    parts: [{ jobs: { '@a': record('a') } }, { jobs: { '@a': `x1${REASON}\n${record('a')}` } }],
  },
  {
    name: 'reschedule, of a job that was moved again',
    script: 'reschedule',
    args: ['@a', 30_000],
    before: { ...W, jobs: { '@a': record('a') }, delayed: { '5@a': 'T+60s' } },
    reply: 'rescheduled',
    meanwhile: (broker) => new Control(broker).reschedule(uuid('a'), 90_000),
    anew: 'rescheduled',
    parts: [{ delayed: { '5@a': 'T+90s' } }, { delayed: { '5@a': 'T+30s' } }],
  },
  {
    name: 'purge of a queue to which more was added',
    script: 'purge',
    args: ['main', 2],
    before: { jobs: { '@a': record('a'), '@b': record('b') }, 'wait:main:5': ['@a', '@b'] },
    reply: 2,
    meanwhile: (broker) => broker.enqueue(0, [request('c')]),
    anew: 1,
    parts: [{ jobs: { '@c': record('c') } }, { jobs: undefined }],
  },
  {
    name: 'purge of the dead letters, a page of them',
    script: 'purge',
    args: ['', 1],
    before: { jobs: { '@a': DEAD('a'), '@b': DEAD('b') }, failed: { '@a': 'T-5s', '@b': 'T' } },
    reply: 1,
    meanwhile: async () => undefined,
    anew: 1,
    parts: [{ jobs: { '@b': DEAD('b') } }, { jobs: undefined }],
  },
];

const call = (queue: TestQueue, id: string, { script, args }: Call) =>
  answer(queue.broker.run(script, 0, [uuid(id), ...plain(args)]));

async function assertHolds(queue: TestQueue, parts: State): Promise<void> {
  const state = await queue.read();
  for (const [key, value] of Object.entries(parts)) assert.deepEqual(state[key], value, key);
}

describe('sent again, it changes nothing and is told the same; another call acts anew:', () => {
  for (const row of CALLS) {
    test(row.name, async (t) => {
      const queue = testQueue(t);
      await queue.load(row.before);
      assert.deepEqual(await call(queue, 'call', row), row.reply);
      await row.meanwhile(queue.broker);
      const before = await queue.read();
      assert.deepEqual(await call(queue, 'call', row), row.reply);
      assert.deepEqual(await queue.read(), before);
      await assertHolds(queue, row.parts[0]);
      assert.deepEqual(await call(queue, 'another', row), row.anew);
      await assertHolds(queue, row.parts[1]);
    });

    test(`${row.name}: the answer lives a minute, however often it is asked for`, async (t) => {
      const queue = testQueue(t);
      await queue.load(row.before);
      await call(queue, 'call', row);
      const key = queue.broker.key(0, `answer:${uuid('call')}`);
      const livesMs = await queue.redis.pttl(key);
      assert.ok(livesMs > 50_000 && livesMs <= 60_000, `${livesMs} ms`);
      await queue.redis.expire(key, 10);
      await call(queue, 'call', row);
      assert.ok((await queue.redis.pttl(key)) <= 10_000);
    });
  }
});

test('a call that was refused has no answer: sent again, it acts', async (t) => {
  const queue = testQueue(t);
  const [row] = CALLS as [Call];
  await queue.load({ ...row.before, events: 'of a wrong type' });
  assert.equal(await call(queue, 'call', row), 'SCRIPT_FAILED');
  await queue.redis.del(queue.broker.key(0, 'events'));
  assert.deepEqual(await call(queue, 'call', row), row.reply);
});

test('a call of no ids is answered with none, twice', async (t) => {
  const queue = testQueue(t);
  const send = () => queue.broker.run('revoke', 0, [uuid('call'), REASON]);
  assert.deepEqual([await send(), await send()], [[], []]);
});

test('a requeue whose answer is lost on the way is made once, though its job has failed again', async (t) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const far = queue.another({ url: proxy.url });
  const control = new Control(far);
  assert.deepEqual(await control.requeue([uuid('nobody')]), ['not_failed']);
  await queue.load({ ...W, jobs: { '@a': DEAD('a') }, failed: { '@a': 'T' } });
  const inspector = new Inspector(queue.broker);
  proxy.mode = 'mute';
  const requeued = control.requeue([uuid('a')]);
  await eventually('it waits', async () => (await inspector.status(uuid('a'))).state === 'pending');
  await runAndFail(queue.broker);
  const before = await queue.read();
  proxy.mode = 'forward';
  proxy.cut();
  assert.deepEqual(await requeued, ['requeued']);
  assert.deepEqual(await queue.read(), before);
  assert.equal((await inspector.status(uuid('a'))).state, 'failed');
});
