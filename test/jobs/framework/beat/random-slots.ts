/**
 * Random slots against the definition of them.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AppError } from '../../../../base/errors.ts';
import { Timetable } from '../../../../jobs/framework/beat/timetable.ts';
import { Clocks, Meaning } from './definition.ts';

const YEARS: [number, number] = [1995, 2045];
/** Summers of both halves, of half an hour, of Ramadan, an abolished one, one day skipped, and none at all. */
export const ZONES = [
  'Asia/Taipei',
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Africa/Cairo',
  'UTC',
];

const clocks = new Map<string, Clocks>();
function clocksOf(zone: string): Clocks {
  let read = clocks.get(zone);
  if (read === undefined) clocks.set(zone, (read = new Clocks(zone, YEARS)));
  return read;
}

const value = (least: number, most: number) => fc.integer({ min: least, max: most }).map(String);
const range = (least: number, most: number) =>
  fc
    .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
const item = (least: number, most: number) =>
  fc.oneof(
    value(least, most),
    range(least, most),
    fc
      .tuple(
        fc.oneof(fc.constant('*'), value(least, most), range(least, most)),
        value(1, most - least + 1),
      )
      .map(([over, step]) => `${over}/${step}`),
  );
const list = (items: fc.Arbitrary<string>) =>
  fc.array(items, { minLength: 1, maxLength: 3 }).map((all) => all.join(','));
const field = (least: number, most: number, special?: fc.Arbitrary<string>) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    { weight: 2, arbitrary: value(least, most) },
    {
      weight: 2,
      arbitrary: list(
        special === undefined ? item(least, most) : fc.oneof(item(least, most), special),
      ),
    },
  );
const words = (text: string) => fc.constantFrom(...text.split(' '));

const expressions = fc
  .tuple(
    fc.option(field(0, 59), { nil: undefined, freq: 3 }),
    field(0, 59),
    field(0, 23),
    field(1, 31, words('L ?')),
    field(1, 12, words('JAN FEB-APR DEC jul August june-OCT')),
    field(
      0,
      7,
      words('SUN MON-FRI sat 5L 0#1 2#5 FRI#3 7L ? SAT-SUN MON-SUN FRI-MON 6-1/2 Friday tuesdayL'),
    ),
  )
  .map((fields) => fields.filter((text) => text !== undefined).join(' '))
  .filter((text) => !/\/[78](?=,|$)/.test(text.split(' ').at(-1)!));

/** Often near a change of the clocks, or at it. */
const moments = (zone: string) => {
  const changes = clocksOf(zone)
    .stretches.slice(1)
    .map(({ fromMs }) => fromMs);
  const anywhere = fc.integer({ min: Date.UTC(1996, 0), max: Date.UTC(2039, 0) });
  const usable = changes.filter((ms) => ms < Date.UTC(2039, 0));
  if (usable.length === 0) return anywhere;
  const near = fc
    .tuple(
      fc.constantFrom(...usable),
      fc.integer({ min: -90_000_000, max: 90_000_000 }),
      fc.boolean(),
    )
    .map(([ms, aside, isAt]) => (isAt ? ms + Math.sign(aside) : ms + aside));
  return fc.oneof(anywhere, near);
};

interface Compared {
  slots: number;
  /** Expressions that are never due. */
  refused: number;
  /** The first case in which they differ, made as small as it gets, and the seed that leads to it. */
  difference: string | undefined;
  /** Of one call of `next()`. */
  medianMs: number;
}

/** Compares the next three slots of so many random cases. */
export function compareSlots(zones: readonly string[], cases: number, seed: number): Compared {
  let [refused, slots] = [0, 0];
  const tookMs: number[] = [];
  const given = fc
    .constantFrom(...zones)
    .chain((zone) => fc.tuple(fc.constant(zone), expressions, moments(zone)));
  const same = fc.property(given, ([timezone, cron, moment]) => {
    const meaning = new Meaning(cron);
    let timetable: Timetable;
    try {
      timetable = new Timetable({ cron, timezone });
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === 'SCHEDULE_INVALID', cron);
      assert.equal(meaning.next(moment), undefined, `${cron} is due`);
      refused++;
      return;
    }
    let now = moment;
    for (let count = 0; count < 3; count++) {
      const shown = meaning.next(clocksOf(timezone).reached(now));
      if (shown === undefined || shown > Date.UTC(YEARS[1] - 1, 0)) break;
      const startedMs = performance.now();
      const slot = timetable.next(now);
      tookMs.push(performance.now() - startedMs);
      const due = clocksOf(timezone).firstShown(shown);
      assert.equal(slot, due, `${cron} in ${timezone} after ${now}`);
      assert.ok(slot > now, 'a slot comes after the instant');
      now = slot;
      slots++;
    }
  });
  const checked = fc.check(same, { numRuns: cases, seed });
  const difference = checked.failed ? fc.defaultReportMessage(checked) : undefined;
  const medianMs = tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length / 2)] ?? 0;
  return { slots, refused, difference, medianMs };
}
