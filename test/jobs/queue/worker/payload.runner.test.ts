/**
 * Payloads and results as those who use the queue meet them: through a producer, a runner and an inspector.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspector, MAX_PAYLOAD_BYTES, Producer, Runner } from '../../../../jobs/queue/index.ts';
import { answer, request, testQueue, uuid } from '../../../support/queue/scripts.ts';
import { Signals } from '../../../support/signals.ts';

const PAYLOADS: Record<string, string> = {
  'an empty text': '""',
  null: 'null',
  zero: '0',
  'a zero below zero': '-0',
  'an empty list': '[]',
  'an empty object': '{}',
  'an integer beyond doubles': '9007199254740993',
  'a fraction with a zero behind': '1.10',
  'one key twice': '{"a":1,"a":2}',
  'NUL, written as JSON does': String.raw`"\u0000"`,
  'half a pair, written as JSON does': String.raw`"\ud800"`,
  'characters of two to four bytes': '"é島👩‍👧\u2028"',
  'white space around': ' \t\r\n[ 1 ]\n',
  'exactly 1 MiB': JSON.stringify('x'.repeat(MAX_PAYLOAD_BYTES - 2)),
};

test('payloads, and results of the same kinds, go through a runner to the letter', async (t) => {
  const queue = testQueue(t);
  const { broker } = queue;
  const ran = new Signals<{ id: string; payload: string }>();
  const runner = new Runner(broker, {
    queues: ['main'],
    run({ id, payload }) {
      ran.note({ id, payload });
      return payload;
    },
  });
  queue.atEnd(() => runner.stop());
  await runner.start();
  const [producer, inspector] = [new Producer(broker), new Inspector(broker)];
  for (const [name, payload] of Object.entries(PAYLOADS)) {
    const job = request(name, { payload });
    assert.equal(await producer.enqueue(job), 'added');
    const { payload: met } = await ran.first(({ id }) => id === job.id);
    assert.ok(met === payload, `${name} reached the handler as ${met.slice(0, 80)}`);
  }
  // What is settled is sent before it stops.
  await runner.stop();
  for (const [name, payload] of Object.entries(PAYLOADS)) {
    const { state, result = '' } = await inspector.status(uuid(name));
    assert.equal(state, 'succeeded', name);
    assert.ok(result === payload, `${name} came back as ${result.slice(0, 80)}`);
    assert.equal(await producer.enqueue(request(name, { payload })), 'exists');
  }
});

/** Besides those in payload.test.ts. */
const REFUSED: [name: string, payload: string][] = [
  ['white space alone', ' \n'],
  ['the other half of a pair', '"\udc00"'],
  ['a pair the wrong way round', '"\udc00\ud800"'],
  ['NUL itself', '"\u0000"'],
  ['NUL behind', '1\u0000'],
  ['a byte order mark', '\ufeff1'],
];

for (const [name, payload] of REFUSED) {
  test(`a producer refuses ${name} before it is sent`, async (t) => {
    const queue = testQueue(t);
    const producer = new Producer(queue.broker);
    assert.equal(
      await answer(producer.enqueue(request('refused', { payload }))),
      'PAYLOAD_NOT_JSON',
    );
    assert.deepEqual(await queue.read(), {});
  });
}
