/** Items that share writes. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { Group, type GroupOptions } from '../../../db/stores/group.ts';

type Results = PromiseSettledResult<string>[];

interface Write {
  items: readonly string[];
  /** Default: each item is its own result. */
  end(results?: Results): void;
  fail(error: Error): void;
}

const stored = (items: readonly string[]): Results =>
  items.map((value) => ({ status: 'fulfilled', value }));

/** A group whose writes end when the test says so. */
function grouped(options: GroupOptions) {
  const writes: Write[] = [];
  const group = new Group<string, string>(
    (items) =>
      new Promise((resolve, reject) => {
        writes.push({
          items,
          end: (results = stored(items)) => resolve(results),
          fail: reject,
        });
      }),
    options,
  );
  const items = () => writes.map((write) => write.items.join(''));
  return {
    group,
    writes,
    items,
    add: (text: string) => text.split('').map((one) => group.add(one)),
  };
}

const failure = (code?: string): Error => Object.assign(new Error('no'), { code });

describe('a group', () => {
  test('writes what one turn adds together, and what arrives meanwhile next', async () => {
    const { writes, items, add } = grouped({ most: 10 });
    const first = add('ab');
    await turn();
    const second = [...add('c'), ...add('d')];
    await turn();
    assert.deepEqual(items(), ['ab'], 'one write at a time');
    writes[0]!.end();
    assert.deepEqual(await Promise.all(first), ['a', 'b']);
    await turn();
    assert.deepEqual(items(), ['ab', 'cd']);
    writes[1]!.end();
    assert.deepEqual(await Promise.all(second), ['c', 'd']);
  });

  test('settles no item before its write has ended', async () => {
    const { writes, group } = grouped({ most: 10 });
    let isAnswered = false;
    const added = group.add('a').finally(() => (isAnswered = true));
    await turn();
    await turn();
    assert.deepEqual([writes.length, isAnswered], [1, false]);
    writes[0]!.end();
    await added;
  });

  test('writes no more items at once, and no more writes, than it may', async () => {
    const { writes, items, add } = grouped({ most: 2, atOnce: 2 });
    const all = add('abcdefg');
    await turn();
    assert.deepEqual(items(), ['ab', 'cd']);
    writes[1]!.end();
    await all[3];
    await turn();
    assert.deepEqual(items(), ['ab', 'cd', 'ef']);
    writes[0]!.end();
    writes[2]!.end();
    await all[4];
    await turn();
    assert.deepEqual(items(), ['ab', 'cd', 'ef', 'g']);
    writes[3]!.end();
    assert.equal((await Promise.all(all)).join(''), 'abcdefg');
  });

  test('rejects the item whose result says so', async () => {
    const { writes, add } = grouped({ most: 10 });
    const [good, bad] = add('ab');
    await turn();
    writes[0]!.end([stored(['a'])[0]!, { status: 'rejected', reason: failure() }]);
    assert.equal(await good, 'a');
    await assert.rejects(bad!, /no/);
  });
});

describe('a write of several that fails', () => {
  for (const code of [undefined, '22P02', '40P01', '55P03']) {
    test(`for a reason that may lie in one of them is repeated with each alone: ${code}`, async () => {
      const { writes, items, add } = grouped({ most: 10 });
      const [good, bad, other] = add('abc');
      await turn();
      const next = add('d');
      writes[0]!.fail(failure(code));
      await turn();
      await turn();
      assert.deepEqual(items().toSorted(), ['a', 'abc', 'b', 'c', 'd'], 'and holds up nobody');
      for (const write of writes.slice(1)) {
        if (write.items.includes('b')) write.fail(failure(code));
        else write.end();
      }
      assert.deepEqual(await Promise.all([good, other, ...next]), ['a', 'c', 'd']);
      await assert.rejects(bad!, { message: 'no', code });
      assert.equal(writes.length, 5, 'alone, it is not repeated');
    });
  }

  for (const code of ['ECONNRESET', '57P01', '08006']) {
    test(`as the connection is gone fails for all: ${code}`, async () => {
      const { writes, add } = grouped({ most: 10 });
      const all = Promise.allSettled(add('ab'));
      await turn();
      writes[0]!.fail(failure(code));
      assert.deepEqual(
        (await all).map(({ status }) => status),
        ['rejected', 'rejected'],
      );
      assert.equal(writes.length, 1);
    });
  }
});
