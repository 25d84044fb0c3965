/**
 * A key of a wrong type is met before anything is written: the call is refused as a whole.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  answer,
  record,
  request,
  short,
  testQueue,
  type State,
} from '../../../support/queue/scripts.ts';
import { refuses, WRONG } from '../../../support/app/refusals.ts';
import { step } from '../../../support/stores/rows.ts';

const RESULT = `r1{"q":"main","n":"work","c":T,"f":T,"d":"0123456789abcdef"}\n"done"`;

describe('enqueue with an idle worker is refused for', () => {
  const idle: State = {
    workers: { '@w': 'T+60s' },
    'idle:main': { '@w': 'T-5s' },
    'idle:two': { '@w': 'T-5s' },
    free: { '@w': '2' },
    queues: ['main'],
  };
  const keys = ['jobs', 'queues', 'wait:main:5', 'idle:main', 'paused', 'counts', 'free'];
  refuses(keys, idle, (broker) =>
    broker.enqueue(0, [request('a', { queue: 'two' }), request('b'), request('c')]),
  );
});

describe('enqueue of a delayed job is refused for', () => {
  refuses(['delayed', 'workers'], { jobs: { '@z': record('z') } }, (broker) =>
    broker.enqueue(0, [request('a'), request('b', { delayMs: 60_000 })]),
  );
});

test('enqueue without an idle worker does not care for what only handing over needs', async (t) => {
  const queue = testQueue(t);
  const broken: State = { counts: WRONG, free: WRONG, paused: WRONG, workers: WRONG };
  await queue.load(broken);
  assert.deepEqual(await queue.broker.enqueue(0, [request('a')]), ['added']);
  const jobs = { '@a': record('a') };
  assert.deepEqual(await queue.read(), {
    ...broken,
    jobs,
    'wait:main:5': ['@a'],
    queues: ['main'],
  });
  await queue.redis.del(...Object.keys(broken).map((key) => queue.broker.key(0, key)));
});

describe('a round is refused for', () => {
  const holds: State = {
    workers: { '@w': 'T+60s' },
    jobs: { '@a': record('a'), '@b': record('b'), '@c': record('c'), '@d': record('d') },
    'lease:@w': ['@a', '@b', '@c'],
    'wait:main:5': ['@d'],
    meta: { keepCount: '10', keepMs: '60000', keepBytes: '1000' },
  };
  const stores = ['jobs', 'counts', 'progress', 'delayed', 'failed', 'meta', 'paused'];
  const ends = ['done', 'marks', 'doneBytes', 'events', 'free', 'idle:main', 'idle:two'];
  refuses([...stores, ...ends], holds, (broker) =>
    step(broker, {
      free: 5,
      queues: ['main', 'two'],
      succeeded: ['@a', RESULT],
      back: ['@b', 60_000, '1:0:'],
      failed: ['@c', '{"code":"BROKEN"}'],
    }),
  );
});

test('a round refused for a wrong type is done in full once that is mended', async (t) => {
  const queue = testQueue(t);
  await queue.load({
    workers: { '@w': 'T+60s' },
    jobs: { '@a': record('a'), '@d': record('d') },
    'lease:@w': ['@a'],
    'wait:main:5': ['@d'],
    events: WRONG,
  });
  const round = () => step(queue.broker, { free: 5, succeeded: ['@a', RESULT] });
  assert.equal(await answer(round()), 'SCRIPT_FAILED');
  await queue.redis.del(queue.broker.key(0, 'events'));
  const { claimed, lost } = await round();
  assert.deepEqual([short(claimed.map(({ id }) => id)), lost], [['@d'], []]);
  const { done, events } = await queue.read();
  assert.deepEqual([done, events], [['@a'], [{ succeeded: '@a' }]]);
});
