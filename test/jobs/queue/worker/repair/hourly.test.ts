/**
 * Once an hour one worker looks closely though the numbers agree: a lost job and a doubled one cancel each other out.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { repair } from '../../../../../jobs/queue/worker/repair.ts';
import {
  record,
  short,
  testQueue,
  type State,
  type TestQueue,
} from '../../../../support/queue/scripts.ts';

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;
const queues = ['main'];
const line = 'wait:main:5';

/** An hour goes by. */
async function age({ broker, redis }: TestQueue): Promise<void> {
  const leftMs = await redis.pttl(broker.key(0, 'looked'));
  assert.ok(leftMs > HOUR_MS - 60_000 && leftMs <= HOUR_MS, `${leftMs} ms`);
  await redis.del(broker.key(0, 'looked'));
}

/** What workers find, each by itself, that look at the same time: those that found anything. */
async function look({ broker, another }: TestQueue): Promise<string[][]> {
  const all = [broker, another(), another()].map((one) => repair(0, one, never));
  const found = short(await Promise.all(all));
  assert.ok(found.every(({ wasEven }) => wasEven));
  return found.map(({ ids }) => ids.toSorted()).filter((ids) => ids.length > 0);
}

const jobs = { '@a': record('a'), '@b': record('b') };
const rows: [what: string, damaged: State, wrong: string[]][] = [
  ['one job is lost, another doubled', { jobs, queues, [line]: ['@b', '@b'] }, ['@a', '@b']],
  [
    'one job is lost, and an id without a job is among the ended',
    { jobs, queues, [line]: ['@b'], done: ['@c'], marks: ['T:1:50'], doneBytes: '50' },
    ['@a', '@c'],
  ],
];

for (const [what, damaged, wrong] of rows) {
  test(`${what}: found within the hour`, async (t) => {
    const queue = testQueue(t);
    await queue.load({ jobs: { '@b': record('b') }, queues, [line]: ['@b'] });
    assert.deepEqual(await look(queue), [], 'all is well');
    const leftMs = await queue.redis.pttl(queue.broker.key(0, 'looked'));
    await queue.load({ ...damaged, looked: '1' });
    await queue.redis.pexpire(queue.broker.key(0, 'looked'), leftMs);
    assert.deepEqual(await look(queue), [], 'somebody has looked');
    await age(queue);
    assert.deepEqual(await look(queue), [wrong], 'one of them looks');
    const state = await queue.read();
    assert.deepEqual(state['jobs'], jobs);
    assert.deepEqual(state[line], ['@a', '@b']);
    assert.equal(state['done'], undefined);
    await age(queue);
    assert.deepEqual(await look(queue), [], 'all is well again');
  });
}

test('nobody looks without need where there is nothing, or very much', async (t) => {
  const { broker, redis } = testQueue(t);
  for (const count of [0, 100_001]) {
    const ids = Array.from({ length: count }, () => randomUUID());
    for (let i = 0; i < count; i += 10_000) {
      const some = ids.slice(i, i + 10_000);
      await redis.hset(broker.key(0, 'jobs'), ...some.flatMap((id) => [id, 'f1{}\n']));
      await redis.zadd(broker.key(0, 'failed'), ...some.flatMap((id) => [1, id]));
    }
    assert.deepEqual(await repair(0, broker, never), { ids: [], wasEven: true });
    assert.equal(await redis.exists(broker.key(0, 'looked')), 0);
  }
});
