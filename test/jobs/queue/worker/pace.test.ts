import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pace } from '../../../../jobs/queue/index.ts';

test('jobs are short when at most 3 of the last 64 took 5 ms or more, and never before 64 were seen', () => {
  const runTimeMs = fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.constant(5));
  fc.assert(
    fc.property(fc.array(runTimeMs, { minLength: 50, maxLength: 300 }), (durations) => {
      const pace = new Pace();
      let was = false;
      durations.forEach((durationMs, i) => {
        const changed = pace.note(durationMs);
        const seen = durations.slice(0, i + 1);
        const long = seen.slice(-64).filter((ms) => ms >= 5).length;
        assert.equal(pace.isShort, seen.length >= 64 && long <= 3);
        assert.equal(changed, pace.isShort !== was);
        was = pace.isShort;
      });
    }),
  );
});

test('after a reset they count from the beginning', () => {
  const pace = new Pace();
  for (let i = 0; i < 64; i++) pace.note(1);
  assert.equal(pace.isShort, true);
  assert.equal(pace.reset(), true);
  for (let i = 0; i < 63; i++) assert.equal(pace.note(1), false);
  assert.equal(pace.note(1), true);
});
