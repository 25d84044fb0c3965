/**
 * Finds the local times that a cron expression matches; zone.ts maps them to instants.
 *
 * Five fields, or six with seconds first: minute, hour, day of the month, month, day of the week. Each accepts `*`, values, ranges
 * `1-5`, steps (`/2` after a star or a range; `5/10` is every tenth from 5) and lists of these; months and days of the week accept
 * English names, full or of three letters, and a range of weekdays may go past the end of the week (`FRI-MON`). `L` is the last day of the month, `5L` its last Friday, `5#3` its third. If both day fields are restricted (have no `*`),
 * either may match, as in crontab(5), which also defines `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly`.
 */
import {
  DAY,
  FieldProblem,
  HOUR,
  MINUTE,
  MONTH,
  readField,
  SECOND,
  WEEKDAY,
  type Field,
} from './cron-field.ts';
import { scheduleProblem } from './problem.ts';

const MACROS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

const EXAMPLE = '"30 2 * * MON-FRI" is 02:30 from Monday to Friday.';
const MAX_LENGTH = 200;
/** The Gregorian calendar repeats every 400 years. */
const CYCLE_MONTHS = 400 * 12;
const DAY_SECONDS = 86_400;

/** Local times are in milliseconds, as if the clock showed UTC. */
export class Cron {
  readonly #day: Field;
  readonly #month: Field;
  readonly #weekday: Field;
  /** Sorted, as are minutes and seconds. */
  readonly #hours: readonly number[];
  readonly #minutes: readonly number[];
  readonly #seconds: readonly number[];

  /** @throws {AppError} `SCHEDULE_INVALID` with the first wrong character, or when no date can match, such as 31 February. */
  constructor(text: string) {
    const [second, minute, hour, day, month, weekday] = readFields(text);
    [this.#day, this.#month, this.#weekday] = [day, month, weekday];
    this.#hours = sorted(hour);
    this.#minutes = sorted(minute);
    this.#seconds = sorted(second);
    if (this.next(0) === undefined) {
      throw scheduleProblem('cron', 'no such date exists.', { text, example: EXAMPLE });
    }
  }

  /** The first matching local time after `afterMs`; always defined for an accepted expression. */
  next(afterMs: number): number | undefined {
    const from = new Date((Math.floor(afterMs / 1000) + 1) * 1000);
    let [year, month] = [from.getUTCFullYear(), from.getUTCMonth()];
    const today = from.getUTCDate();
    const time = this.#timeFrom(from.getUTCHours(), from.getUTCMinutes(), from.getUTCSeconds());
    const days = this.#daysOf(year, month);
    if (time !== undefined && (days & (1 << today)) !== 0) return at(year, month, today, time);
    // Days after today. JavaScript shifts modulo 32, so day 31 needs its own case.
    let rest = today === 31 ? 0 : days & (-1 << (today + 1));
    for (let months = 0; months <= CYCLE_MONTHS; months++) {
      if (rest !== 0) return at(year, month, lowest(rest), this.#firstTime);
      month = (month + 1) % 12;
      if (month === 0) year++;
      rest = this.#daysOf(year, month);
    }
    return undefined;
  }

  /** Matching days of a month as a bit mask; bit 1 is the first day. */
  #daysOf(year: number, month: number): number {
    if (!this.#month.values.has(month + 1)) return 0;
    const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    const firstWeekday = new Date(Date.UTC(year, month, 1)).getUTCDay();
    let byDay = this.#day.hasLast ? 1 << length : 0;
    let byWeekday = 0;
    for (let day = 1; day <= length; day++) {
      if (this.#day.values.has(day)) byDay |= 1 << day;
      if (this.#weekday.values.has((firstWeekday + day - 1) % 7)) byWeekday |= 1 << day;
    }
    for (const { weekday, which } of this.#weekday.nth) {
      const first = 1 + ((weekday - firstWeekday + 7) % 7);
      const weeks = which === 'last' ? Math.floor((length - first) / 7) : which - 1;
      if (first + 7 * weeks <= length) byWeekday |= 1 << (first + 7 * weeks);
    }
    const isEither = !this.#day.isOpen && !this.#weekday.isOpen;
    return isEither ? byDay | byWeekday : byDay & byWeekday;
  }

  get #firstTime(): number {
    return this.#hours[0]! * 3600 + this.#minutes[0]! * 60 + this.#seconds[0]!;
  }

  /** The first matching time of day at or after the given one, in seconds. */
  #timeFrom(hour: number, minute: number, second: number): number | undefined {
    const [minutes, seconds] = [this.#minutes, this.#seconds];
    if (this.#hours.includes(hour)) {
      const sameMinute = minutes.includes(minute) ? firstFrom(seconds, second) : undefined;
      if (sameMinute !== undefined) return hour * 3600 + minute * 60 + sameMinute;
      const nextMinute = firstFrom(minutes, minute + 1);
      if (nextMinute !== undefined) return hour * 3600 + nextMinute * 60 + seconds[0]!;
    }
    const nextHour = firstFrom(this.#hours, hour + 1);
    return nextHour === undefined ? undefined : nextHour * 3600 + minutes[0]! * 60 + seconds[0]!;
  }
}

type Fields = [Field, Field, Field, Field, Field, Field];

function readFields(text: string): Fields {
  const problem = (sentence: string, position?: number) =>
    scheduleProblem('cron', sentence, {
      text: text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text,
      ...(position === undefined ? {} : { position }),
      example: EXAMPLE,
    });
  if (text.length > MAX_LENGTH) throw problem(`it is longer than ${MAX_LENGTH} characters.`);
  const trimmed = text.trim();
  if (trimmed.startsWith('@') && !Object.hasOwn(MACROS, trimmed.toLowerCase())) {
    throw problem(`the macros are ${Object.keys(MACROS).join(', ')}.`, text.indexOf('@') + 1);
  }
  const words = [...(MACROS[trimmed.toLowerCase()] ?? text).matchAll(/\S+/g)];
  if (words.length !== 5 && words.length !== 6) {
    throw problem(`it has ${words.length} fields, not 5, or 6 with seconds in front.`);
  }
  const kinds = [SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY].slice(-words.length);
  const fields = words.map((word, index) => {
    try {
      return readField(word[0], kinds[index]!);
    } catch (error) {
      if (!(error instanceof FieldProblem)) throw error;
      throw problem(error.message, word.index + error.at + 1);
    }
  });
  if (fields.length === 5) fields.unshift(readField('0', SECOND));
  return fields as Fields;
}

const sorted = ({ values }: Field): number[] => [...values].toSorted((a, b) => a - b);

const firstFrom = (values: readonly number[], least: number): number | undefined =>
  values.find((value) => value >= least);

/** Index of the lowest set bit. */
const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits);

const at = (year: number, month: number, day: number, seconds: number): number =>
  Date.UTC(year, month, day) + (seconds % DAY_SECONDS) * 1000;
