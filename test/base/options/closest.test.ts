import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest, didYouMean } from '../../../base/options/closest.ts';

test('the nearest candidate is meant, not the first one near enough', () => {
  assert.equal(closest('worker-', ['workers!', 'worker']), 'worker');
  assert.equal(closest('wroker', ['worker']), 'worker');
  assert.equal(closest('alll', ['all']), 'all');
  assert.equal(closest('nothing', ['worker']), undefined);
});

test('a suggestion follows a sentence, or nothing does', () => {
  assert.equal(didYouMean('wroker', ['worker']), ' Did you mean worker?');
  assert.equal(didYouMean('nothing', ['worker']), '');
});
