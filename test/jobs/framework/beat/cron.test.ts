import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../../base/errors.ts';
import { Cron } from '../../../../jobs/framework/beat/cron.ts';

/** Times meant after the beginning of 2026, as clocks show them. */
function times(expression: string, count = 3): string[] {
  const cron = new Cron(expression);
  const found: string[] = [];
  let shown = Date.UTC(2026, 0) - 1;
  for (let left = count; left > 0; left--) {
    shown = cron.next(shown)!;
    found.push(new Date(shown).toISOString().slice(0, 19));
  }
  return found;
}

const GOOD: [expression: string, times: string[]][] = [
  ['* * * * *', ['2026-01-01T00:00:00', '2026-01-01T00:01:00', '2026-01-01T00:02:00']],
  ['*/20 5 * * * *', ['2026-01-01T00:05:00', '2026-01-01T00:05:20', '2026-01-01T00:05:40']],
  ['50/4 0 * * *', ['2026-01-01T00:50:00', '2026-01-01T00:54:00', '2026-01-01T00:58:00']],
  ['0 9-17/4 * * *', ['2026-01-01T09:00:00', '2026-01-01T13:00:00', '2026-01-01T17:00:00']],
  ['0 0 * FEB,apr *', ['2026-02-01T00:00:00', '2026-02-02T00:00:00', '2026-02-03T00:00:00']],
  ['30 2 * * MON-FRI', ['2026-01-01T02:30:00', '2026-01-02T02:30:00', '2026-01-05T02:30:00']],
  ['0 0 * * 7', ['2026-01-04T00:00:00', '2026-01-11T00:00:00', '2026-01-18T00:00:00']],
  ['0 0 * * 5-7', ['2026-01-02T00:00:00', '2026-01-03T00:00:00', '2026-01-04T00:00:00']],
  // A week has no end: Sunday closes a range as well as it opens one, and a range may go past it.
  ['0 0 * * SAT-SUN', ['2026-01-03T00:00:00', '2026-01-04T00:00:00', '2026-01-10T00:00:00']],
  ['0 0 * * MON-SUN', ['2026-01-01T00:00:00', '2026-01-02T00:00:00', '2026-01-03T00:00:00']],
  ['0 0 * * FRI-MON', ['2026-01-02T00:00:00', '2026-01-03T00:00:00', '2026-01-04T00:00:00']],
  ['0 0 * * 7-1', ['2026-01-04T00:00:00', '2026-01-05T00:00:00', '2026-01-11T00:00:00']],
  ['0 0 * * SAT-MON/2', ['2026-01-03T00:00:00', '2026-01-05T00:00:00', '2026-01-10T00:00:00']],
  [
    '0 0 * * Saturday-sunday',
    ['2026-01-03T00:00:00', '2026-01-04T00:00:00', '2026-01-10T00:00:00'],
  ],
  ['0 0 * * FridayL', ['2026-01-30T00:00:00', '2026-02-27T00:00:00', '2026-03-27T00:00:00']],
  ['0 0 1 APRIL,May-june *', ['2026-04-01T00:00:00', '2026-05-01T00:00:00', '2026-06-01T00:00:00']],
  ['0 0 L * ?', ['2026-01-31T00:00:00', '2026-02-28T00:00:00', '2026-03-31T00:00:00']],
  ['0 0 15,L * *', ['2026-01-15T00:00:00', '2026-01-31T00:00:00', '2026-02-15T00:00:00']],
  ['0 0 * * 5L', ['2026-01-30T00:00:00', '2026-02-27T00:00:00', '2026-03-27T00:00:00']],
  ['0 0 * * FRI#5', ['2026-01-30T00:00:00', '2026-05-29T00:00:00', '2026-07-31T00:00:00']],
  ['0 0 ? * TUE#1', ['2026-01-06T00:00:00', '2026-02-03T00:00:00', '2026-03-03T00:00:00']],
  ['0 0 29 2 *', ['2028-02-29T00:00:00', '2032-02-29T00:00:00', '2036-02-29T00:00:00']],
  ['0 0 ? 2 SUN#5', ['2032-02-29T00:00:00', '2060-02-29T00:00:00', '2088-02-29T00:00:00']],
  // Either of the fields of days, as neither is open.
  ['0 0 13 * FRI', ['2026-01-02T00:00:00', '2026-01-09T00:00:00', '2026-01-13T00:00:00']],
  // Both of them, as one has a star.
  ['0 0 */2 * FRI', ['2026-01-09T00:00:00', '2026-01-23T00:00:00', '2026-02-13T00:00:00']],
  ['  0\t0 1 1  * ', ['2026-01-01T00:00:00', '2027-01-01T00:00:00', '2028-01-01T00:00:00']],
  ['@Weekly', ['2026-01-04T00:00:00', '2026-01-11T00:00:00', '2026-01-18T00:00:00']],
];

for (const [expression, expected] of GOOD) {
  test(`"${expression}" is understood`, () => assert.deepEqual(times(expression), expected));
}

const BAD: [expression: string, position: number | undefined, sentence: RegExp][] = [
  ['', undefined, /it has 0 fields, not 5, or 6/],
  ['* * * *', undefined, /it has 4 fields/],
  ['* * * * * * *', undefined, /it has 7 fields/],
  ['60 * * * *', 1, /"60" is not a valid minute: 0 to 59/],
  ['60 * * * * *', 1, /not a valid second: 0 to 59/],
  ['0 24 * * *', 3, /"24" is not a valid hour: 0 to 23/],
  ['0 0 0 * *', 5, /not a valid day of the month: 1 to 31/],
  ['0 0 * 13 *', 7, /not a valid month: 1 to 12 or JAN to DEC/],
  ['0 0 * * 8', 9, /not a valid day of the week: 0 to 7 or SUN to SAT/],
  ['0 0 * * MON,FRIDAYS', 13, /"FRIDAYS"/],
  ['0 0 * * FRID', 9, /"FRID"/],
  ['0 0 1 MARCHED *', 7, /"MARCHED"/],
  ['-1 * * * *', 1, /"-1"/],
  ['1.5 * * * *', 1, /"1.5"/],
  ['0x1 * * * *', 1, /"0x1"/],
  ['1- * * * *', 3, /the minute is missing/],
  ['1,,2 * * * *', 3, /the minute is missing/],
  ['30-10 * * * *', 1, /a range must ascend: write 30-59,0-10/],
  ['0 0 1 NOV-FEB *', 7, /a range must ascend: write 11-12,1-2/],
  ['*/0 * * * *', 3, /a step of the minute must be a whole number from 1 to 60/],
  ['*/61 * * * *', 3, /from 1 to 60/],
  ['*/ * * * *', 3, /a step/],
  ['*/2/3 * * * *', 4, /a second step/],
  ['? * * * *', 1, /"\?"/],
  ['0 L * * *', 3, /"L"/],
  ['0 0 L-3 * *', 5, /"L"/],
  ['0 0 15W * *', 5, /"15W"/],
  ['0 0 * * L', 9, /"L"/],
  ['0 0 * * 1#6', 11, /at most 5 times in a month: write 1 to 5/],
  ['0 0 * * 8#1', 9, /"8"/],
  ['@reboot', 1, /the macros are @hourly/],
  ['0 0 31 2 *', undefined, /no such date exists/],
  ['0 0 30 FEB ?', undefined, /no such date exists/],
  ['0 0 31 4,6,9,11 *', undefined, /no such date exists/],
  [`${'1,'.repeat(200)}1 * * * *`, undefined, /longer than 200 characters/],
];

for (const [expression, position, sentence] of BAD) {
  test(`"${expression.slice(0, 20)}" is refused, with the place and an example`, () => {
    assert.throws(
      () => new Cron(expression),
      (error: unknown) => {
        assert.ok(error instanceof AppError);
        assert.equal(error.code, 'SCHEDULE_INVALID');
        assert.match(error.message, sentence);
        assert.match(error.message, /For example: "30 2 \* \* MON-FRI"/);
        assert.deepEqual(
          error.details,
          position === undefined ? { field: 'cron' } : { field: 'cron', position },
        );
        return true;
      },
    );
  });
}
