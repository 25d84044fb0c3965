/**
 * Queues in turn: whatever waits in a line is served within a number of rounds that does not depend on what else waits.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker } from '../../../../../jobs/queue/index.ts';
import { request, short, testQueue, uuid } from '../../../../support/queue/scripts.ts';
import { step } from '../../../../support/stores/rows.ts';

/** Claims one job a round, while every line keeps a job waiting. Returns the lines served, as `queue:priority`. */
async function serve(broker: Broker, queues: string[], priorities: number[], rounds: number) {
  const lines = queues.flatMap((queue) => priorities.map((priority) => ({ queue, priority })));
  const lineOf = new Map<string, { queue: string; priority: number }>();
  const add = async (line: { queue: string; priority: number }): Promise<void> => {
    const name = `turn${lineOf.size}`;
    lineOf.set(`@${name}`, line);
    await broker.enqueue(0, [request(name, line)]);
  };
  await broker.renew(0, uuid('w'), 60_000, queues);
  for (const line of lines) await add(line);
  const served = new Set<string>();
  for (let seq = 1; seq <= rounds; seq++) {
    const { claimed } = await step(broker, { seq, free: 1, known: seq - 1, queues });
    const line = lineOf.get(short(claimed[0]!.id))!;
    served.add(`${line.queue}:${line.priority}`);
    await add(line);
  }
  return [...served].toSorted();
}

test('the lowest priority of every queue is served, though the highest of each never runs dry', async (t) => {
  const { broker } = testQueue(t);
  assert.deepEqual(await serve(broker, ['main', 'two'], [9, 0], 64), [
    'main:0',
    'main:9',
    'two:0',
    'two:9',
  ]);
});

test('of sixteen queues each comes first in turn, though every sixteenth round is an ageing one', async (t) => {
  const { broker } = testQueue(t);
  const queues = Array.from({ length: 16 }, (_, i) => `q${String(i).padStart(2, '0')}`);
  const served = await serve(broker, queues, [9, 0], 17);
  assert.deepEqual(
    served.filter((line) => line.endsWith(':9')),
    queues.map((queue) => `${queue}:9`),
  );
});
