/** Which dead letters are dropped when another is added, or at a heartbeat: by age, then by number, none that is fresh. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Control } from '../../../../../jobs/queue/index.ts';
import { testQueue, uuid, type State } from '../../../../support/queue/scripts.ts';
import { step, stepReply, testRows } from '../../../../support/stores/rows.ts';

const LETTER = 'f1{"code":"X"}\nv1{"q":"main","p":5,"n":"work","c":1}\n{}';
const meta = (failedCount: number, failedMs: number) => ({
  failedCount: String(failedCount),
  failedMs: String(failedMs),
});
const DAY_MS = 86_400_000;
const before = (limits: State): State => ({
  workers: { '@w': 'T+60s' },
  jobs: { '@a': 'v1', '@b': LETTER, '@c': LETTER, '@d': LETTER },
  'lease:@w': ['@a'],
  failed: { '@b': 'T-1000s', '@c': 'T-900s', '@d': 'T-10s' },
  meta: limits,
});
const after = (limits: State, left: string[]): State => {
  const given = before(limits);
  const pick = (name: 'jobs' | 'failed') =>
    Object.fromEntries(Object.entries(given[name] as object).filter(([id]) => left.includes(id)));
  return {
    workers: { '@w': 'T+60s' },
    meta: limits,
    jobs: { ...pick('jobs'), '@a': 'f1{"code":"X"}\nv1' },
    failed: { ...pick('failed'), '@a': 'T' },
    events: [{ failed: '@a' }],
    'replies:@w': { 1: '|', last: '1' },
  };
};

describe('when a job fails', () => {
  const failed = ['@a', '{"code":"X"}'];
  const rows: [name: string, limits: State, left: string[]][] = [
    ['none goes within the limits', meta(4, DAY_MS), ['@b', '@c', '@d']],
    ['those beyond the age go', meta(4, 950_000), ['@c', '@d']],
    ['the oldest go beyond the number', meta(3, DAY_MS), ['@c', '@d']],
    ['those younger than 10 minutes stay, however many there are', meta(1, DAY_MS), ['@d']],
  ];
  testRows(
    rows.map(([name, limits, left]) => ({
      name,
      before: before(limits),
      call: (broker) => step(broker, { failed }),
      reply: stepReply(),
      after: after(limits, left),
    })),
  );
});

test('a heartbeat drops those beyond the age', async (t) => {
  const { broker } = testQueue(t);
  await broker.open();
  const { redis } = broker;
  await redis.hset(broker.key(0, 'meta'), { failedMs: '1000' });
  await redis.hset(broker.key(0, 'jobs'), uuid('b'), LETTER);
  await redis.zadd(broker.key(0, 'failed'), 5, uuid('b'));
  await broker.renew(0, uuid('w'), 60_000, ['main']);
  assert.equal(await redis.zcard(broker.key(0, 'failed')), 0);
  assert.equal(await redis.hexists(broker.key(0, 'jobs'), uuid('b')), 0);
});

test('dead letters and delayed jobs are removed by id, and only from there', async (t) => {
  const { broker } = testQueue(t);
  await broker.open();
  const control = new Control(broker);
  const { redis } = broker;
  await redis.hset(broker.key(0, 'jobs'), uuid('b'), LETTER);
  await redis.zadd(broker.key(0, 'failed'), Date.now(), uuid('b'));
  const add = (name: string, queue: string, delayMs: number) =>
    broker.enqueue(0, [{ id: uuid(name), task: 'work', queue, payload: '{}', delayMs }]);
  await add('c', 'main', 60_000);
  await add('d', 'other', 60_000);
  await add('e', 'main', 0);
  assert.deepEqual(await control.removeFailed([uuid('b'), uuid('c'), uuid('f')]), [
    'removed',
    'elsewhere',
    'elsewhere',
  ]);
  assert.equal(await control.purgeDelayed('main'), 1);
  assert.deepEqual(
    (await redis.hkeys(broker.key(0, 'jobs'))).toSorted(),
    [uuid('d'), uuid('e')].toSorted(),
  );
  assert.equal(await redis.zcard(broker.key(0, 'delayed')), 1);
});
