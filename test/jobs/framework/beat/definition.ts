/**
 * Cron and zones by definition: slow, with nothing of the code under test. A field is compared with one value after the other, as
 * text; clocks are read all through the years.
 */

const MONTHS =
  'JAN(UARY)? FEB(RUARY)? MAR(CH)? APR(IL)? MAY JUNE? JULY? AUG(UST)? SEP(TEMBER)? OCT(OBER)? NOV(EMBER)? DEC(EMBER)?'.split(
    ' ',
  );
const WEEKDAYS =
  'SUN(DAY)? MON(DAY)? TUE(SDAY)? WED(NESDAY)? THU(RSDAY)? FRI(DAY)? SAT(URDAY)?'.split(' ');
const DAY_MS = 86_400_000;

/** Whether one item of a list allows a value. */
function itemAllows(item: string, value: number, [least, most]: [number, number]): boolean {
  const [range, step] = item.split('/');
  let [from, to] = range!.split('-').map(Number) as [number, number?];
  if (range === '*' || range === '?') [from, to] = [least, most];
  else if (to === undefined) to = step === undefined ? from : Math.max(from, most);
  return value >= from && value <= to && (value - from) % Number(step ?? 1) === 0;
}

const plain = (field: string, names: string[], first: number): string =>
  names.reduce(
    (text, name, index) => text.replaceAll(new RegExp(name, 'g'), String(index + first)),
    field,
  );

const allows = (field: string, value: number, bounds: [number, number]): boolean =>
  field.split(',').some((item) => itemAllows(item, value, bounds));

function dayAllowed(field: string, date: Date): boolean {
  const isLast = new Date(date.getTime() + DAY_MS).getUTCDate() === 1;
  return field
    .split(',')
    .some((item) => (item === 'L' ? isLast : itemAllows(item, date.getUTCDate(), [1, 31])));
}

/** A range that descends ends in the next week: 5-1 is 5-8. */
const endless = (item: string): string =>
  item.replace(/^(\d)-(\d)/, (range, from, to) =>
    Number(from) > Number(to) ? `${from}-${Number(to) + 7}` : range,
  );

function weekdayAllowed(field: string, date: Date): boolean {
  const weekday = date.getUTCDay();
  const isLast = new Date(date.getTime() + 7 * DAY_MS).getUTCMonth() !== date.getUTCMonth();
  return field.split(',').some((item) => {
    const [day, which] = item.split('#');
    if (which !== undefined) {
      return Number(day) % 7 === weekday && Math.ceil(date.getUTCDate() / 7) === Number(which);
    }
    if (/^\d+L$/.test(item)) return Number(item[0]) % 7 === weekday && isLast;
    // The days of two weeks in a row, as a range may go past the end of one.
    return [weekday, weekday + 7].some((number) => itemAllows(endless(item), number, [0, 6]));
  });
}

/** The times that an expression means, as clocks show them. */
export class Meaning {
  readonly #fields: string[];
  /** Answers given before: by day, and by second of the day (1 is no, 2 is yes). */
  readonly #days = new Map<number, boolean>();
  readonly #times = new Uint8Array(DAY_MS / 1000);

  constructor(expression: string) {
    const fields = expression.toUpperCase().split(' ');
    if (fields.length === 5) fields.unshift('0');
    fields[4] = plain(fields[4]!, MONTHS, 1);
    fields[5] = plain(fields[5]!, WEEKDAYS, 0);
    this.#fields = fields;
  }

  means(shownMs: number): boolean {
    const second = (shownMs % DAY_MS) / 1000;
    if (this.#times[second] === 0) this.#times[second] = this.#isTime(new Date(shownMs)) ? 2 : 1;
    if (this.#times[second] === 1) return false;
    const day = Math.floor(shownMs / DAY_MS);
    let isDay = this.#days.get(day);
    if (isDay === undefined) this.#days.set(day, (isDay = this.#isDay(new Date(shownMs))));
    return isDay;
  }

  #isDay(date: Date): boolean {
    const [, , , day, month, weekday] = this.#fields;
    if (!allows(month!, date.getUTCMonth() + 1, [1, 12])) return false;
    const [isDay, isWeekday] = [dayAllowed(day!, date), weekdayAllowed(weekday!, date)];
    const isEither = !/[*?]/.test(day!) && !/[*?]/.test(weekday!);
    return isEither ? isDay || isWeekday : isDay && isWeekday;
  }

  #isTime(date: Date): boolean {
    const [second, minute, hour] = this.#fields;
    return (
      allows(second!, date.getUTCSeconds(), [0, 59]) &&
      allows(minute!, date.getUTCMinutes(), [0, 59]) &&
      allows(hour!, date.getUTCHours(), [0, 23])
    );
  }

  /** The first time after this one. */
  next(shownMs: number): number | undefined {
    const [second, minute, hour] = this.#fields as [string, string, string];
    const firstDay = Math.floor(shownMs / DAY_MS);
    for (let day = firstDay; day < firstDay + 366 * 45; day++) {
      if (!this.#isDay(new Date(day * DAY_MS))) continue;
      for (let h = 0; h < 24; h++) {
        if (!allows(hour, h, [0, 23])) continue;
        for (let m = 0; m < 60; m++) {
          if (!allows(minute, m, [0, 59])) continue;
          for (let s = 0; s < 60; s++) {
            const found = day * DAY_MS + h * 3_600_000 + m * 60_000 + s * 1000;
            if (found > shownMs && allows(second, s, [0, 59])) return found;
          }
        }
      }
    }
    return undefined;
  }
}

/** From one change of the clocks of a zone to the next. */
interface Stretch {
  fromMs: number;
  toMs: number;
  offsetMs: number;
}

/** What clocks of a zone show, read every six hours of the years, and to the second where they were changed. */
export class Clocks {
  readonly stretches: Stretch[] = [];
  readonly #format: Intl.DateTimeFormat;

  constructor(zone: string, [fromYear, toYear]: [number, number]) {
    this.#format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    const [fromMs, toMs] = [Date.UTC(fromYear, 0), Date.UTC(toYear, 0)];
    let current: Stretch = { fromMs, toMs, offsetMs: this.#read(fromMs) };
    for (let ms = fromMs; ms < toMs; ms += DAY_MS / 4) {
      if (this.#read(ms) === current.offsetMs) continue;
      let [before, after] = [ms - DAY_MS / 4, ms];
      while (after - before > 1000) {
        const middle = Math.round((before + after) / 2000) * 1000;
        if (this.#read(middle) === current.offsetMs) before = middle;
        else after = middle;
      }
      this.stretches.push({ ...current, toMs: after });
      current = { fromMs: after, toMs, offsetMs: this.#read(after) };
    }
    this.stretches.push(current);
  }

  #read(ms: number): number {
    const [, sign, hours = '0', minutes = '0', seconds = '0'] =
      /GMT(?:([+-])(\d+):?(\d+)?:?(\d+)?)?$/.exec(this.#format.format(ms))!;
    const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    return (sign === '-' ? -size : size) * 1000;
  }

  /** The latest time shown until then. */
  reached(instantMs: number): number {
    let latest = -Infinity;
    for (const { fromMs, toMs, offsetMs } of this.stretches) {
      if (fromMs > instantMs) break;
      latest = Math.max(latest, Math.min(instantMs, toMs - 1) + offsetMs);
    }
    return latest;
  }

  /** When this time or a later one is shown first. */
  firstShown(shownMs: number): number {
    for (const { fromMs, toMs, offsetMs } of this.stretches) {
      if (toMs + offsetMs > shownMs) return Math.max(fromMs, shownMs - offsetMs);
    }
    throw new Error('the years end before that');
  }
}
