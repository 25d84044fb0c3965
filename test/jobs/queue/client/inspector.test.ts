import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Inspector } from '../../../../jobs/queue/index.ts';
import {
  answer,
  record,
  short,
  testQueue,
  uuid,
  type State,
} from '../../../support/queue/scripts.ts';

describe('inspector', () => {
  /** The first names whose ids live on a shard. */
  const namesOn = (shard: number, count: number): string[] =>
    Array.from({ length: 200 }, (_, i) => `n${i}`)
      .filter((name) => Number.parseInt(uuid(name).slice(0, 2), 16) % 3 === shard)
      .slice(0, count);
  const shards = [namesOn(0, 3), [], namesOn(2, 4)];
  const all = shards.flat().map((name) => `@${name}`);

  for (const list of ['waiting', 'delayed', 'failed', 'done'] as const) {
    test(`pages of ${list} jobs go on from shard to shard, over an empty one`, async (t) => {
      const queue = testQueue(t, { shards: 3 });
      for (const [shard, names] of shards.entries()) {
        const ids = names.map((name) => `@${name}`);
        const scored = (front: string) =>
          Object.fromEntries(ids.map((id, i) => [front + id, `T+${60 * (i + 1)}s`]));
        const state: State = {
          jobs: Object.fromEntries(names.map((name) => [`@${name}`, record(name)])),
          'wait:main:5': ids,
          delayed: scored('5'),
          failed: scored(''),
          done: ids,
        };
        if (ids.length > 0) await queue.load(state, shard);
      }
      const inspector = new Inspector(queue.broker);
      const of = list === 'waiting' ? { list, queue: 'main', priority: 5 } : { list };
      const page = async (offset: number, limit: number) =>
        (await inspector.page(of, { offset, limit })).map(({ id }) => short(id));
      for (let offset = 0; offset <= all.length + 1; offset++) {
        for (const limit of [0, 1, 2, 5, 100])
          assert.deepEqual(await page(offset, limit), all.slice(offset, offset + limit));
      }
    });
  }

  test('the overview adds up the shards and tells each worker and queue once', async (t) => {
    const queue = testQueue(t, { shards: 2 });
    await queue.load({
      queues: ['main', 'two'],
      paused: ['two'],
      'wait:main:5': ['@a', '@b'],
      'wait:two:0': ['@c'],
      delayed: { '5@d': 'T+60s' },
      failed: { '@e': 'T' },
      done: ['@f', '@g'],
      workers: { '@w': 'T+60s' },
      'lease:@w': ['@h'],
      'replies:@w': { queues: 'main,two' },
    });
    const second: State = {
      queues: ['main'],
      'wait:main:5': ['@i'],
      'wait:main:9': ['@j'],
      done: ['@k'],
      workers: { '@v': 'T+60s', '@w': 'T+60s' },
      'lease:@w': ['@l', '@m'],
      'replies:@v': { queues: 'two' },
      'replies:@w': { queues: 'main,two' },
    };
    await queue.load(second, 1);
    const overview = await new Inspector(queue.broker).overview();
    const { queues, workers, ...totals } = overview;
    assert.deepEqual(totals, { delayed: 1, failed: 1, done: 3 });
    assert.deepEqual(
      queues.toSorted((a, b) => a.name.localeCompare(b.name)),
      [
        { name: 'main', waiting: [0, 0, 0, 0, 0, 3, 0, 0, 0, 1], paused: false },
        { name: 'two', waiting: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0], paused: true },
      ],
    );
    assert.deepEqual(
      workers.map(({ id, queues: served, held }) => [short(id), served, held]),
      [
        ['@w', ['main', 'two'], 3],
        ['@v', ['two'], 0],
      ],
    );
    for (const { leaseLeftMs } of workers) assert.ok(leaseLeftMs > 50_000 && leaseLeftMs <= 60_000);
    assert.equal(await new Inspector(queue.broker).waiting('main'), 4);
    assert.deepEqual(await queue.read(1), second);
    assert.equal(await answer(new Inspector(queue.broker).waiting('nobody')), 0);
  });
});
