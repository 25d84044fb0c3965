import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineSchedule } from '../../../../jobs/framework/beat/schedule.ts';
import { sweepFeedback } from '../../../../jobs/feedback/sweep-task.ts';

test('a definition that cannot be kept is refused when it is made', () => {
  const call = sweepFeedback.s({});
  const cron = '0 0 * * *';
  for (const [options, message] of [
    [{ name: 'A', cron, call }, /name "A": it must be 1 to 64 lower-case letters/],
    [{ name: 'a', call }, /either cron or everyMs/],
    [{ name: 'a', cron, call, jitterMs: -1 }, /jitterMs: it must be a whole number/],
    [{ name: 'a', everyMs: 60_000, call, jitterMs: 60_000 }, /jitterMs: it reaches into the next/],
    [{ name: 'a', cron, call, catchUp: 'all' }, /catchUp: .* with overlap: 'allow'/],
    [{ name: 'a', everyMs: 1.5, call }, /everyMs: it must be a whole number/],
    [{ name: 'a', cron, call, endAt: new Date(Number.NaN) }, /endAt: it is not a valid date/],
    [{ name: 'a', cron, call, startAt: new Date(2), endAt: new Date(1) }, /before startAt/],
  ] as const) {
    assert.throws(() => defineSchedule(options), message);
  }
});
