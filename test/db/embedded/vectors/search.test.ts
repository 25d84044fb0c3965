import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Point } from '../../../../db/embedded/vectors/point.ts';
import { dots, VectorRows } from '../../../../db/embedded/vectors/rows.ts';
import { topK } from '../../../../db/embedded/vectors/search.ts';

/** Points whose vectors are single numbers: their scores. */
function lineUp(scores: readonly number[]): { rows: VectorRows<Point>; points: Point[] } {
  const rows = new VectorRows<Point>(1);
  const points = scores.map((score, id) => rows.add([score], (row) => ({ id, row, payload: {} })));
  return { rows, points };
}

const score = (array: Float32Array, count: number): Float64Array =>
  Float64Array.from(array.subarray(0, count));

describe('top k', () => {
  it('equals sorting everything and cutting, ties and all, whatever was removed and added', () => {
    const scores = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 60 });
    const removed = fc.array(fc.nat(59), { maxLength: 20 });
    fc.assert(
      fc.property(scores, removed, scores, fc.nat(70), (all, gone, later, k) => {
        const { rows, points } = lineUp(all);
        const isGone = new Set(gone.filter((id) => id < all.length));
        for (const id of isGone) rows.remove(points[id]!.row);
        for (const [index, value] of later.entries()) {
          const id = all.length + index;
          points.push(rows.add([value], (row) => ({ id, row, payload: {} })));
        }
        const of = (id: number): number => [...all, ...later][id]!;
        const sorted = points
          .map(({ id }) => Number(id))
          .filter((id) => !isGone.has(id))
          .sort((a, b) => of(b) - of(a) || a - b);
        const found = topK(rows, () => true, score, k);
        assert.deepEqual(
          found.map(({ point }) => point.id),
          sorted.slice(0, k),
        );
        for (const { point, score: value } of found) assert.equal(value, of(Number(point.id)));
      }),
    );
  });

  it('reaches over many blocks, and reads back what was added', () => {
    const { rows, points } = lineUp(Array.from({ length: 5000 }, (_, id) => (id * 7919) % 5000));
    assert.equal(rows.blocks.length, 5);
    const best = topK(rows, ({ id }) => Number(id) % 2 === 0, score, 3);
    assert.deepEqual(
      best.map((hit) => hit.score),
      [4998, 4996, 4994],
    );
    assert.deepEqual([...rows.read(points[4321]!.row)], [(4321 * 7919) % 5000]);
  });

  it('multiplies vectors of any length', () => {
    for (let length = 1; length <= 9; length++) {
      const array = Float32Array.from({ length: 4 * length }, (_, i) => i);
      const other = Float32Array.from({ length }, (_, i) => i + 1);
      const expected = [0, 1, 2].map((row) =>
        other.reduce((sum, value, i) => sum + value * (row * length + i), 0),
      );
      assert.deepEqual([...dots(array, 3, other)], expected);
    }
  });
});
