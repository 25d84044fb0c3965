/**
 * Calls that are refused as a whole when a key they write is of a wrong type.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker } from '../../../jobs/queue/index.ts';
import { answer, plain, testQueue, type State } from '../queue/scripts.ts';

/** What a key holds that is of no type the queue uses; `doneBytes`, a string itself, is made a list instead. */
export const WRONG = 'of a wrong type';

/** Whether a call is refused and writes nothing, for each of the keys that were broken. */
export function refuses(
  keys: readonly string[],
  before: State,
  call: (broker: Broker) => Promise<unknown>,
): void {
  for (const key of keys) {
    test(key, async (t) => {
      const queue = testQueue(t);
      const broken = { ...before, [key]: key === 'doneBytes' ? ['a list'] : WRONG };
      await queue.load(broken);
      assert.equal(await answer(call(queue.broker)), 'SCRIPT_FAILED');
      assert.deepEqual(await queue.read(), broken);
      await queue.redis.del(queue.broker.key(0, plain(key)));
      assert.notEqual(await answer(call(queue.broker)), 'SCRIPT_FAILED', 'it was for the key');
    });
  }
}
