/**
 * Tests written as a table: the whole state before a call, the call, its reply, the whole state after it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker } from '../../../jobs/queue/index.ts';
import type { StepCall, StepReply } from '../../../jobs/queue/broker/step.ts';
import { answer, plain, testQueue, type State } from '../queue/scripts.ts';

export interface Row {
  name: string;
  before: State;
  call(broker: Broker): Promise<unknown>;
  reply: unknown;
  /** Default: the state before, for calls that must write nothing. */
  after?: State;
}

export function testRows(rows: readonly Row[]): void {
  for (const { name, before, call, reply, after = before } of rows) {
    test(name, async (t) => {
      const queue = testQueue(t);
      await queue.load(before);
      assert.deepEqual(await answer(call(queue.broker)), reply);
      assert.deepEqual(await queue.read(), after);
    });
  }
}

/** A round of worker `@w`, which serves `main`, with what a test does not care about filled in. */
export async function step(broker: Broker, call: Partial<StepCall>): Promise<StepReply> {
  const all: StepCall = {
    worker: '@w',
    seq: 1,
    free: 0,
    known: 0,
    queues: ['main'],
    succeeded: [],
    back: [],
    failed: [],
    ...call,
  };
  return broker.step(0, plain(all));
}

/** The reply of a round in which nothing happened but `more`. */
export function stepReply(more: Partial<Record<keyof StepReply, unknown>> = {}): unknown {
  return { nowMs: 'T', nextDueMs: undefined, more: false, lost: [], claimed: [], ...more };
}

/** A job as it is handed to a worker. */
export function leased(name: string, record: string, counts = ''): unknown {
  return { id: `@${name}`, record, counts };
}
