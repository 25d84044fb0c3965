/** The same task over a list: what each call gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from '../../../../jobs/framework/canvas/compile.ts';
import type { Composition } from '../../../../jobs/framework/canvas/composition.ts';
import { chunks, starmap } from '../../../../jobs/framework/canvas/over.ts';
import { bare, batch, source } from './tasks.ts';

const payloadsOf = (composition: Composition): unknown[] =>
  planOf(composition).nodes.flatMap((node) =>
    node.kind === 'task' ? [node.signature.payload] : [],
  );

test('a starmap makes a payload of each tuple', () => {
  const made = starmap(source, [[1, 2] as const, [3, 4] as const], (a, b) => ({ n: 10 * a + b }));
  assert.deepEqual(payloadsOf(made), [{ n: 12 }, { n: 34 }]);
});

test('chunks share the items in order, beside the fixed fields', () => {
  const made = chunks(batch, [1, 2, 3, 4, 5], 2, { unit: 'm' });
  const expected = [[1, 2], [3, 4], [5]].map((items) => ({ unit: 'm', items }));
  assert.deepEqual(payloadsOf(made), expected);
  assert.deepEqual(payloadsOf(chunks(bare, [1, 2], 2)), [{ items: [1, 2] }]);
  assert.deepEqual(payloadsOf(chunks(bare, [], 2)), []);
});
