import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Inspector, MAX_PAYLOAD_BYTES, type JobRequest } from '../../../jobs/queue/index.ts';
import { decodeJob } from '../../../jobs/queue/broker/record.ts';
import { answer, request, testQueue, uuid } from '../../support/queue/scripts.ts';
import { step } from '../../support/stores/rows.ts';

const PAYLOADS: Record<string, string> = {
  'an empty list': '[]',
  'an empty object': '{}',
  'an integer beyond doubles': '9007199254740993',
  'emoji, quotes and line breaks': '{ "text" : "島 👩‍👩‍👧 \\n \\u0000 \\ud800",\n"__proto__": null }',
  'as much as is allowed': JSON.stringify('x'.repeat(MAX_PAYLOAD_BYTES - 2)),
  'as much as is allowed, in three bytes a character': JSON.stringify(`${'島'.repeat(349_524)}ab`),
};

describe('a payload reaches the handler to the letter:', () => {
  for (const [name, payload] of Object.entries(PAYLOADS)) {
    test(name, async (t) => {
      const { broker } = testQueue(t);
      await broker.renew(0, uuid('w'), 60_000, ['main']);
      assert.deepEqual(await broker.enqueue(0, [request('a', { payload })]), ['added']);
      const { claimed } = await step(broker, { free: 1 });
      assert.equal(decodeJob(claimed[0]!.id, claimed[0]!.record).payload, payload);
      assert.deepEqual(await broker.enqueue(0, [request('a', { payload })]), ['exists']);
      const result = `r1{"q":"main","n":"work","c":1,"f":2,"d":"00"}\n${payload}`;
      await step(broker, { seq: 2, succeeded: [uuid('a'), result] });
      assert.equal((await new Inspector(broker).status(uuid('a'))).result, payload);
    });
  }
});

const REFUSED: [name: string, more: Partial<JobRequest>, code: string][] = [
  [
    'a payload one byte too long',
    { payload: JSON.stringify('x'.repeat(MAX_PAYLOAD_BYTES - 1)) },
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'a payload too long in bytes only',
    { payload: JSON.stringify('島'.repeat(349_525)) },
    'PAYLOAD_TOO_LARGE',
  ],
  ['a payload that is not JSON', { payload: '{a:1}' }, 'PAYLOAD_NOT_JSON'],
  ['an empty payload', { payload: '' }, 'PAYLOAD_NOT_JSON'],
  ['text that UTF-8 cannot carry', { payload: '"\ud800"' }, 'PAYLOAD_NOT_JSON'],
  ['a priority above 9', { priority: 10 }, 'JOB_OPTION_INVALID'],
  ['a priority below 0', { priority: -1 }, 'JOB_OPTION_INVALID'],
  ['half a priority', { priority: 0.5 }, 'JOB_OPTION_INVALID'],
  ['a negative delay', { delayMs: -1 }, 'JOB_OPTION_INVALID'],
  ['an endless delay', { delayMs: Infinity }, 'JOB_OPTION_INVALID'],
  ['an expiry that is no time', { expiresInMs: Number.NaN }, 'JOB_OPTION_INVALID'],
  ['a queue name with a colon', { queue: 'a:b' }, 'JOB_OPTION_INVALID'],
  ['a queue name with a comma', { queue: 'a,b' }, 'JOB_OPTION_INVALID'],
  ['an empty queue name', { queue: '' }, 'JOB_OPTION_INVALID'],
  ['a task name with a quote', { task: 'a"b' }, 'JOB_OPTION_INVALID'],
  [
    'headers one character too long',
    { headers: { who: 'x'.repeat(4096 - '{"who":""}'.length + 1) } },
    'JOB_OPTION_INVALID',
  ],
  [
    'headers too long once they are written',
    { headers: { who: '"'.repeat(2050) } },
    'JOB_OPTION_INVALID',
  ],
  ['an id that is no UUID', { id: '1' }, 'JOB_ID_INVALID'],
  ['an id in capitals', { id: uuid('a').toUpperCase() }, 'JOB_ID_INVALID'],
  ['an id with something behind it', { id: `${uuid('a')}\n` }, 'JOB_ID_INVALID'],
];

describe('enqueue refuses, and writes nothing of the call:', () => {
  for (const [name, more, code] of REFUSED) {
    test(name, async (t) => {
      const queue = testQueue(t);
      assert.equal(await answer(queue.broker.enqueue(0, [request('b'), request('a', more)])), code);
      assert.deepEqual(await queue.read(), {});
    });
  }
});

test('headers of 4,096 characters reach the handler to the letter', async (t) => {
  const { broker } = testQueue(t);
  const headers = { who: 'x'.repeat(4096 - '{"who":""}'.length) };
  await broker.renew(0, uuid('w'), 60_000, ['main']);
  assert.deepEqual(await broker.enqueue(0, [request('a', { headers })]), ['added']);
  const { claimed } = await step(broker, { free: 1 });
  assert.deepEqual(decodeJob(claimed[0]!.id, claimed[0]!.record).headers, headers);
});

test('a call adds a thousand jobs, and one more is refused whole', async (t) => {
  const queue = testQueue(t);
  const requests = Array.from({ length: 1001 }, (_, i) => request(`t${i}`));
  assert.equal(await answer(queue.broker.enqueue(0, requests)), 'JOB_OPTION_INVALID');
  assert.deepEqual(await queue.read(), {});
  const words = await queue.broker.enqueue(0, requests.slice(0, 1000));
  assert.deepEqual(new Set(words), new Set(['added']));
  assert.equal(words.length, 1000);
  assert.equal(await queue.redis.llen(queue.broker.key(0, 'wait:main:5')), 1000);
});
