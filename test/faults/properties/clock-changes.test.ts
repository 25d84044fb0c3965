/**
 * Days on which clocks are put forward or back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timetable } from '../../../jobs/framework/beat/timetable.ts';
import { Clocks, Meaning } from '../../jobs/framework/beat/definition.ts';

const MINUTE_MS = 60_000;

/** Slots from one instant to another, in ISO form without seconds. */
function slots(cron: string, timezone: string, from: string, to: string): string[] {
  const timetable = new Timetable({ cron, timezone });
  const found: string[] = [];
  let slot = timetable.next(Date.parse(from) - 1);
  while (slot !== undefined && slot <= Date.parse(to)) {
    found.push(new Date(slot).toISOString().slice(5, 16));
    slot = timetable.next(slot);
  }
  return found;
}

/** What a person expects, worked out by hand; instants are in UTC. */
const DAYS: [what: string, cron: string, zone: string, from: string, to: string, due: string[]][] =
  [
    [
      'half past two is not shown: due when the gap ends',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T06:00Z',
      '2026-03-09T12:00Z',
      ['03-07T07:30', '03-08T07:00', '03-09T06:30'],
    ],
    [
      'all that lies in a gap is due once',
      '*/20 2 * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      '2026-03-29T06:00Z',
      ['03-29T01:00'],
    ],
    [
      'the hour after the gap is due where it always is',
      '0 2,3 * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      '2026-03-29T06:00Z',
      ['03-29T01:00'],
    ],
    [
      'what lies in the gap and what comes when it ends is one slot',
      '*/15 * * * *',
      'America/New_York',
      '2026-03-08T06:30Z',
      '2026-03-08T07:30Z',
      ['03-08T06:30', '03-08T06:45', '03-08T07:00', '03-08T07:15', '03-08T07:30'],
    ],
    [
      'every quarter rests while an hour is shown again',
      '*/15 * * * *',
      'America/New_York',
      '2026-11-01T05:30Z',
      '2026-11-01T07:15Z',
      ['11-01T05:30', '11-01T05:45', '11-01T07:00', '11-01T07:15'],
    ],
    [
      'half past one is shown twice: due the first time',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T00:00Z',
      '2026-11-02T12:00Z',
      ['10-31T05:30', '11-01T05:30', '11-02T06:30'],
    ],
    [
      'every half hour rests while an hour is shown again',
      '*/30 * * * *',
      'Europe/London',
      '2026-10-25T00:00Z',
      '2026-10-25T02:30Z',
      ['10-25T00:00', '10-25T00:30', '10-25T02:00', '10-25T02:30'],
    ],
    [
      'clocks that change by half an hour',
      '*/15 * * * *',
      'Australia/Lord_Howe',
      '2026-04-04T14:30Z',
      '2026-04-04T15:45Z',
      ['04-04T14:30', '04-04T14:45', '04-04T15:30', '04-04T15:45'],
    ],
    [
      'a change at midnight: the day begins at one',
      '0 0 * * *',
      'Africa/Cairo',
      '2026-04-23T12:00Z',
      '2026-04-25T12:00Z',
      ['04-23T22:00', '04-24T21:00'],
    ],
    [
      'a day that was left out altogether',
      '0 12 * * *',
      'Pacific/Apia',
      '2011-12-29T00:00Z',
      '2012-01-01T00:00Z',
      ['12-29T22:00', '12-30T10:00', '12-30T22:00', '12-31T22:00'],
    ],
    [
      'no change at all',
      '0 2 * * *',
      'Asia/Taipei',
      '2026-03-28T00:00Z',
      '2026-03-30T00:00Z',
      ['03-28T18:00', '03-29T18:00'],
    ],
  ];

for (const [what, cron, zone, from, to, due] of DAYS) {
  test(`${cron} in ${zone}: ${what}`, () => assert.deepEqual(slots(cron, zone, from, to), due));
}

const ZONES = [
  'America/New_York',
  'America/St_Johns',
  'America/Santiago',
  'Europe/London',
  'Europe/Berlin',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Asia/Taipei',
];
/** Often in the hours in which clocks are changed, and seldom in the others. */
const EXPRESSIONS = [
  '30 2 * * *',
  '*/15 0-4,22,23 * * *',
  '10 */5 * * *',
  '0 0 * * *',
  '5 1-3 * * SUN',
  '59 23 L * *',
];

for (const zone of ZONES) {
  test(`every minute of two years in ${zone}, walked by`, (t) => {
    const [fromMs, toMs] = [Date.UTC(2026, 0), Date.UTC(2028, 0)];
    const clocks = new Clocks(zone, [2025, 2029]);
    const meanings = EXPRESSIONS.map((cron) => new Meaning(cron));
    const walked: number[][] = EXPRESSIONS.map(() => []);
    let reachedMs = clocks.reached(fromMs - MINUTE_MS);
    for (let nowMs = fromMs; nowMs < toMs; nowMs += MINUTE_MS) {
      const shownMs = clocks.reached(nowMs);
      // More than one minute where clocks were put forward, none while they repeat themselves.
      for (let ms = reachedMs + MINUTE_MS; ms <= shownMs; ms += MINUTE_MS) {
        for (let index = 0; index < meanings.length; index++) {
          const due = walked[index]!;
          if (meanings[index]!.means(ms) && due.at(-1) !== nowMs) due.push(nowMs);
        }
      }
      reachedMs = Math.max(reachedMs, shownMs - (shownMs % MINUTE_MS));
    }
    EXPRESSIONS.forEach((cron, index) => {
      const timetable = new Timetable({ cron, timezone: zone });
      const told: number[] = [];
      for (let slot = timetable.next(fromMs - 1)!; slot < toMs; slot = timetable.next(slot)!) {
        told.push(slot);
      }
      assert.deepEqual(told, walked[index], cron);
    });
    const changes = clocks.stretches.filter(({ fromMs: ms }) => ms > fromMs && ms < toMs);
    t.diagnostic(`${walked.flat().length} slots, ${changes.length} changes of the clocks`);
  });
}
