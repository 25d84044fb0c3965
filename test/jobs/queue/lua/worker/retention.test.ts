/**
 * Which results are dropped when a round adds more of them: whole batches, the oldest first, the newest by age alone. And
 * how many of the events that tell of them are kept.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Control } from '../../../../../jobs/queue/index.ts';
import { record, testQueue, uuid, type State } from '../../../../support/queue/scripts.ts';
import { step, stepReply, testRows } from '../../../../support/stores/rows.ts';

const RESULT = `r1{"q":"main","n":"work","c":T,"f":T,"d":"0123456789abcdef"}\n"done"`;
const REPLIES = { 'replies:@w': { 1: '|', last: '1' } };
const WORKER = { workers: { '@w': 'T+60s' } };
const meta = (keepCount: number, keepMs: number, keepBytes: number) => ({
  keepCount: String(keepCount),
  keepMs: String(keepMs),
  keepBytes: String(keepBytes),
});
/** A shard that has two results of 91 bytes, each a batch of its own, and whose worker runs `a` and `b`. */
const before = (limits: State): State => ({
  ...WORKER,
  jobs: { '@a': 'v1', '@b': 'v1', '@c': RESULT, '@d': RESULT },
  'lease:@w': ['@a', '@b'],
  meta: limits,
  done: ['@c', '@d'],
  marks: ['T-10s:1:91', 'T-5s:1:91'],
  doneBytes: '182',
});
const onlyNew = (limits: State): State => ({
  ...WORKER,
  jobs: { '@a': RESULT, '@b': RESULT },
  meta: limits,
  done: ['@a', '@b'],
  marks: ['T:2:182'],
  doneBytes: '182',
  events: [{ succeeded: '@a,@b' }],
  ...REPLIES,
});

describe('when a batch of two results is added', () => {
  const succeeded = ['@a', RESULT, '@b', RESULT];
  const byCount = meta(1, 60_000, 1000);
  const byBytes = meta(10, 60_000, 300);
  const byLess = meta(10, 60_000, 90);
  const byAge = meta(10, 8000, 1000);
  const atOnce = meta(10, 0, 1000);
  testRows([
    {
      name: 'it stays, though alone it is more than the count that is kept; older ones go',
      before: before(byCount),
      call: (broker) => step(broker, { succeeded }),
      reply: stepReply(),
      after: onlyNew(byCount),
    },
    {
      name: 'it stays, though alone it is more than the bytes that are kept; older ones go',
      before: before(byLess),
      call: (broker) => step(broker, { succeeded }),
      reply: stepReply(),
      after: onlyNew(byLess),
    },
    {
      name: 'as many of the oldest go as it takes to keep the bytes',
      before: before(byBytes),
      call: (broker) => step(broker, { succeeded }),
      reply: stepReply(),
      after: {
        ...onlyNew(byBytes),
        jobs: { '@a': RESULT, '@b': RESULT, '@d': RESULT },
        done: ['@d', '@a', '@b'],
        marks: ['T-5s:1:91', 'T:2:182'],
        doneBytes: '273',
      },
    },
    {
      name: 'those past their time go, however few there are',
      before: before(byAge),
      call: (broker) => step(broker, { succeeded }),
      reply: stepReply(),
      after: {
        ...onlyNew(byAge),
        jobs: { '@a': RESULT, '@b': RESULT, '@d': RESULT },
        done: ['@d', '@a', '@b'],
        marks: ['T-5s:1:91', 'T:2:182'],
        doneBytes: '273',
      },
    },
    {
      name: 'even it goes when nothing is kept for any time',
      before: before(atOnce),
      call: (broker) => step(broker, { succeeded }),
      reply: stepReply(),
      after: {
        ...WORKER,
        meta: atOnce,
        doneBytes: '0',
        events: [{ succeeded: '@a,@b' }],
        ...REPLIES,
      },
    },
  ]);
});

test('of the events the last 256 are kept, and less than a node of the stream more', async (t) => {
  const { broker, redis, load } = testQueue(t);
  await load({ jobs: { '@a': record('a') }, 'wait:main:5': ['@a'] });
  const events = broker.key(0, 'events');
  const earlier = redis.pipeline();
  for (let i = 0; i < 1000; i++) earlier.xadd(events, '*', 'succeeded', uuid(`earlier${i}`));
  await earlier.exec();
  await new Control(broker).revoke([uuid('a')]);
  const kept = await redis.xrange(events, '-', '+');
  // A node has a hundred entries, and only whole ones are dropped.
  assert.ok(kept.length >= 256 && kept.length < 356, `${kept.length} events`);
  assert.deepEqual(kept.at(-1)?.[1], ['revoked', uuid('a')]);
});
