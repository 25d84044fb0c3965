/**
 * A listener that throws is reported, and hurts neither the queue nor the process.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Control,
  EventTail,
  Results,
  Runner,
  type ConsumerOptions,
} from '../../../../jobs/queue/index.ts';
import { HANG_MS } from '../../../support/patience.ts';
import { eventually, startConsumer } from '../../../support/queue/consumers.ts';
import { request, testQueue, uuid, type TestQueue } from '../../../support/queue/scripts.ts';
import { Signals } from '../../../support/signals.ts';

const boom = (): never => {
  throw new Error('boom');
};
const later = async (): Promise<never> => boom();
const isBoom = (error: unknown): boolean => error instanceof Error && error.message === 'boom';

for (const [how, fail] of [
  ['throws', boom],
  ['rejects', later as () => never],
] as const) {
  describe(`a listener that ${how}`, () => {
    test('to deliveries is reported, and its jobs go back and run', async (t) => {
      const queue = testQueue(t);
      const failures = new Signals<unknown>();
      let calls = 0;
      const self: { settle?: ConsumerOptions['deliver'] } = {};
      const { consumer } = await startConsumer(queue, {
        deliver: (deliveries) => (calls++ === 0 ? fail() : self.settle?.(deliveries)),
        failed: (error) => failures.note(error),
      });
      const ran = new Signals<string>();
      self.settle = (deliveries) => {
        for (const { job } of deliveries) {
          consumer.settle(job.id, { kind: 'succeeded', result: '1' });
          ran.note(job.id);
        }
      };
      await queue.broker.enqueue(0, [request('a'), request('b')]);
      await failures.first(isBoom);
      await ran.first((id) => id === uuid('a'));
      await ran.first((id) => id === uuid('b'));
    });

    test('to lost jobs is reported, and the worker goes on', async (t) => {
      const queue = testQueue(t);
      const failures = new Signals<unknown>();
      const worker = await startConsumer(queue, {
        lost: fail,
        failed: (error) => failures.note(error),
      });
      await queue.broker.enqueue(0, [request('a')]);
      await worker.until(1);
      await new Control(queue.broker).revoke([uuid('a')]);
      await failures.first(isBoom);
      await queue.broker.enqueue(0, [request('b')]);
      await worker.until(2);
    });

    test('to failures does not end the process', async (t) => {
      const queue = testQueue(t);
      const results = new Results(queue.broker);
      queue.atEnd(() => results.stop());
      await results.start();
      const runner = new Runner(queue.broker, {
        queues: ['main'],
        run: boom,
        retry: () => Number.NaN,
        failed: fail,
      });
      queue.atEnd(() => runner.stop());
      await runner.start();
      await queue.broker.enqueue(0, [request('a'), request('b')]);
      for (const name of ['a', 'b']) {
        const { state } = await results.get(uuid(name), { timeoutMs: HANG_MS });
        assert.equal(state, 'failed');
      }
    });

    test('to ended jobs is reported as it failed, and hears of the next ones', async (t) => {
      const queue = testQueue(t);
      const [heard, failures] = [new Signals<string>(), new Signals<unknown>()];
      const tail = new EventTail(queue.broker, {
        ended(ids) {
          for (const id of ids) heard.note(id);
          return fail();
        },
        endedAs(state, ids) {
          for (const id of ids) heard.note(`${state} ${id}`);
          return fail();
        },
        failed(error) {
          failures.note(error);
          return fail();
        },
      });
      queue.atEnd(() => tail.stop());
      await tail.start();
      const control = new Control(queue.broker);
      // The tail may start to read after the first ends.
      const ends = async (name: string): Promise<void> => {
        await queue.broker.enqueue(0, [request(name, { delayMs: 60_000 })]);
        await control.revoke([uuid(name)]);
      };
      for (let i = 0; heard.seen.length === 0; i++) await ends(`first${i}`);
      await ends('second');
      await heard.first((one) => one === uuid('second'));
      await heard.first((one) => one === `revoked ${uuid('second')}`);
      await failures.first(isBoom);
      assert.ok(failures.seen.every(isBoom));
    });
  });
}

describe('a command', () => {
  test('whose answer is no JSON is refused, and not left unanswered', async (t) => {
    const queue = testQueue(t);
    await startConsumer(queue, { commanded: async () => ({ big: 1n }) });
    const answers = await new Control(queue.broker).broadcast('ask', {}, { timeoutMs: HANG_MS });
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['refused'],
    );
  });

  test('that is no JSON is refused at the call', async (t) => {
    const { broker } = testQueue(t);
    const asked = new Control(broker).broadcast('ask', { big: 1n }, { timeoutMs: 1000 });
    await assert.rejects(asked, { code: 'COMMAND_INVALID' });
  });

  test('whose answer cannot be read hides no other', async (t) => {
    const queue = testQueue(t);
    const control = new Control(queue.broker);
    const other = await startConsumer(queue, { commanded: async () => 'fine' });
    const odd = await startConsumer(queue, {
      commanded: () => new Promise(() => undefined),
    });
    const asked = control.broadcast('ask', {}, { timeoutMs: HANG_MS });
    // The odd one answers in its own way, to the call its connection is named after.
    await eventually('the call waits', async () => (await callOf(queue)) !== undefined);
    const call = await callOf(queue);
    await queue.redis.rpush(queue.broker.key(0, `reply:${call}`), `${odd.consumer.id}\nno json`);
    const kinds = new Map((await asked).map((one) => [one.worker, one.kind]));
    assert.equal(kinds.get(other.consumer.id), 'answered');
    assert.equal(kinds.get(odd.consumer.id), 'refused');
  });
});

async function callOf({ redis, prefix }: TestQueue): Promise<string | undefined> {
  const list = (await redis.client('LIST')) as string;
  return new RegExp(`${prefix}:replies:([0-9a-f-]{36})`).exec(list)?.[1];
}
