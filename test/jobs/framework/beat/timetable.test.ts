import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { compareSlots, ZONES } from './random-slots.ts';

/** `npm run faults -- cron` tries more. */
const CASES = 2000;

test('every slot is the one of the definition', () => {
  const { slots, difference } = compareSlots(ZONES, CASES, randomInt(2 ** 31));
  assert.equal(difference, undefined, difference);
  assert.ok(slots > CASES, `only ${slots} slots`);
});
