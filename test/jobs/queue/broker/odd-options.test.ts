/**
 * Options that would make a worker hang, spin or serve nobody are refused when it is made.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Broker, Consumer, QueueError, Runner } from '../../../../jobs/queue/index.ts';
import { redisUrl, testQueue } from '../../../support/queue/scripts.ts';

const NUMBERS = [0, -1, 1.5, Number.NaN, Infinity, '5', null];

const ODD: Record<'Runner' | 'Consumer', [options: object, message: RegExp][]> = {
  Runner: [
    ...NUMBERS.map((concurrency): [object, RegExp] => [
      { concurrency },
      /^Runner: concurrency must be a whole number, 1 or more\.$/,
    ]),
    ...NUMBERS.map((leaseMs): [object, RegExp] => [
      { leaseMs },
      /leaseMs must be a whole number from 100/,
    ]),
    [{ queues: ['no such!'] }, /queues must be a list of queue names/],
    [{ queues: [''] }, /queues must be a list of queue names/],
    [{ queues: 'main' }, /queues must be a list of queue names/],
    [{ queues: undefined }, /queues is missing/],
    [{ run: undefined }, /run is missing/],
    [{ run: 'it' }, /run must be a function/],
    [{ retry: 3 }, /retry must be a function/],
    [{ failed: 'no' }, /failed must be a function/],
    [{ concurency: 5 }, /concurency is not an option\. Did you mean concurrency\?/],
    [{ leaseMS: 500 }, /leaseMS is not an option\. Did you mean leaseMs\?/],
  ],
  Consumer: [
    ...NUMBERS.map((limit): [object, RegExp] => [
      { limit },
      /^Consumer: limit must be a whole number, 1 or more\.$/,
    ]),
    ...NUMBERS.map((leaseMs): [object, RegExp] => [{ leaseMs }, /leaseMs must be/]),
    [{ queues: ['a', 'b c'] }, /queues must be a list of queue names/],
    [{ limit: undefined }, /limit is missing/],
    [{ deliver: undefined }, /deliver is missing/],
    [{ lost: 1 }, /lost must be a function/],
    [{ comanded: () => 1 }, /Did you mean commanded\?/],
  ],
};

const FINE = {
  Runner: { queues: ['main'], run: () => '1' },
  Consumer: { queues: ['main'], limit: 5, deliver: () => undefined },
};

const refusedWith = (message: RegExp) => (error: unknown) =>
  error instanceof QueueError && error.code === 'OPTION_INVALID' && message.test(error.message);

for (const [name, cases] of Object.entries(ODD)) {
  const kind = name as keyof typeof ODD;
  describe(`a ${name} is refused`, () => {
    for (const [options, message] of cases) {
      const entry = Object.entries(options)[0]!;
      test(`for ${entry[0]}: ${String(entry[1])} (${typeof entry[1]})`, (t) => {
        const { broker } = testQueue(t);
        const make = { Runner, Consumer }[kind] as new (b: Broker, o: object) => unknown;
        assert.throws(() => new make(broker, { ...FINE[kind], ...options }), refusedWith(message));
        assert.ok(new make(broker, FINE[kind]));
      });
    }
  });
}

test('a limit is checked when it is changed, too', (t) => {
  const { broker } = testQueue(t);
  const consumer = new Consumer(broker, FINE.Consumer);
  for (const limit of NUMBERS) {
    assert.throws(() => (consumer.limit = limit as number), refusedWith(/limit must be/));
  }
  assert.equal(consumer.limit, 5);
});

describe('a Broker is refused', () => {
  const odd: [options: object, message: RegExp][] = [
    [{ shards: 0 }, /shards must be a whole number from 1 to 256/],
    [{ shards: 257 }, /shards must be/],
    [{ shards: 1.5 }, /shards must be/],
    [{ shards: Number.NaN }, /shards must be/],
    [{ prefix: 'a{b}' }, /prefix must be/],
    [{ prefix: '' }, /prefix must be/],
    [{ keep: { count: Number.NaN } }, /keep must be/],
    [{ keep: { counts: 1 } }, /keep must be/],
    [{ shard: 2 }, /Did you mean shards\?/],
  ];
  for (const [options, message] of odd) {
    test(`for ${JSON.stringify(options)}`, () => {
      assert.throws(() => new Broker({ url: redisUrl(), ...options }), refusedWith(message));
    });
  }
});
