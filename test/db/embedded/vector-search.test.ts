import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { topK } from '../../../db/embedded/vector-search.ts';

const row = { array: new Float32Array(), from: 0 };

describe('top k', () => {
  it('equals sorting everything and cutting, ties and all', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });
    fc.assert(
      fc.property(scores, fc.nat(70), (all, k) => {
        const points = all.map((_, id) => ({ id, row, payload: {} }));
        const found = topK(
          points,
          () => true,
          ({ id }) => all[Number(id)] ?? 0,
          k,
        ).map(({ point }) => point.id);
        const sorted = points
          .map(({ id }) => id)
          .sort((a, b) => (all[b] ?? 0) - (all[a] ?? 0) || a - b);
        assert.deepEqual(found, sorted.slice(0, k));
      }),
    );
  });
});
