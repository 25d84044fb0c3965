/**
 * The share of a list that is kept for what the signals did not choose.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepShare } from '../../../jobs/recommendations/share.ts';

const items = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `${prefix}${n}` }));
const idsOf = (list: readonly { id: string }[]) => list.map(({ id }) => id);

test('every fifth place is drawn, the others are the best in order', () => {
  const list = idsOf(keepShare(items('r', 80), items('o', 100), 100, 'today:me'));
  assert.equal(list.length, 100);
  assert.deepEqual(
    list.filter((_, place) => place % 5 !== 4),
    idsOf(items('r', 80)),
  );
  assert.ok(list.filter((_, place) => place % 5 === 4).every((id) => id.startsWith('o')));
});

test('what the signals ranked too low is drawn where there is nothing else', () => {
  const list = idsOf(keepShare(items('r', 10), [], 100, 'today:me'));
  assert.deepEqual(
    list.filter((_, place) => place % 5 !== 4),
    idsOf(items('r', 8)),
  );
  assert.deepEqual(new Set([list[4], list[9]]), new Set(['r8', 'r9']));
});

test('a list of fewer than five is as the signals have it', () => {
  assert.deepEqual(idsOf(keepShare(items('r', 3), items('o', 9), 100, 's')), ['r0', 'r1', 'r2']);
});

test('the same seed draws the same, another seed something else', () => {
  const drawn = (seed: string) => idsOf(keepShare(items('r', 80), items('o', 100), 100, seed));
  assert.deepEqual(drawn('2026-03-01:me'), drawn('2026-03-01:me'));
  assert.notDeepEqual(drawn('2026-03-01:me'), drawn('2026-03-02:me'));
  assert.notDeepEqual(drawn('2026-03-01:me'), drawn('2026-03-01:you'));
});

test('over many days each of the others is drawn about as often', () => {
  const counts = new Map<string, number>();
  for (let day = 0; day < 500; day++) {
    for (const { id } of keepShare(items('r', 80), items('o', 100), 100, `${day}`)) {
      if (id.startsWith('o')) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  assert.equal(counts.size, 100);
  // 500 draws of one in five: 100 expected, 9 is one standard deviation. The seeds are fixed.
  assert.ok([...counts.values()].every((count) => count > 60 && count < 140));
});

test('whatever the lists are, nothing comes twice and nothing is missing', () => {
  const sizes = fc.record({
    ranked: fc.nat(130),
    others: fc.nat(130),
    most: fc.integer({ min: 1, max: 110 }),
  });
  fc.assert(
    fc.property(sizes, fc.string(), ({ ranked, others, most }, seed) => {
      const list = idsOf(keepShare(items('r', ranked), items('o', others), most, seed));
      assert.ok(list.every((id) => id !== undefined));
      assert.equal(new Set(list).size, list.length);
      assert.ok(list.length >= Math.min(ranked, most) && list.length <= most);
      const drawn = list.filter((_, place) => place % 5 === 4).length;
      assert.equal(drawn, Math.floor(list.length / 5));
      assert.ok(list.filter((id) => id.startsWith('o')).length <= drawn);
    }),
  );
});
