/** Parses one field of a cron expression into sets of values. */

interface FieldKind {
  name: string;
  min: number;
  max: number;
  /** English names, also valid as their first three letters; the first stands for `min`. */
  names?: readonly string[];
  /** Whether the field accepts `?` as `*`. */
  isDay?: boolean;
}

export const SECOND: FieldKind = { name: 'second', min: 0, max: 59 };
export const MINUTE: FieldKind = { name: 'minute', min: 0, max: 59 };
export const HOUR: FieldKind = { name: 'hour', min: 0, max: 23 };
export const DAY: FieldKind = { name: 'day of the month', min: 1, max: 31, isDay: true };
export const MONTH: FieldKind = {
  name: 'month',
  min: 1,
  max: 12,
  names:
    'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER'.split(
      ' ',
    ),
};
/** Both 0 and 7 are Sunday. */
export const WEEKDAY: FieldKind = {
  name: 'day of the week',
  min: 0,
  max: 7,
  names: 'SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY'.split(' '),
  isDay: true,
};

export interface Field {
  /** Whether the field contains `*` or `?`, and so does not restrict the days. */
  isOpen: boolean;
  values: ReadonlySet<number>;
  /** `L` in the day-of-month field. */
  hasLast: boolean;
  /** `5L` and `5#3` in the day-of-week field. */
  nth: readonly { weekday: number; which: number | 'last' }[];
}

export class FieldProblem extends Error {
  /** Offset within the field, starting at 0. */
  readonly at: number;
  constructor(sentence: string, at: number) {
    super(sentence);
    this.name = 'FieldProblem';
    this.at = at;
  }
}

/** @throws {FieldProblem} */
export function readField(text: string, kind: FieldKind): Field {
  const values = new Set<number>();
  const nth: Field['nth'][number][] = [];
  let [at, hasLast, isOpen] = [0, false, false];
  for (const item of text.split(',')) {
    const day = readSpecialDay(item, kind, at);
    if (day === 'last') hasLast = true;
    else if (day !== undefined) nth.push(day);
    else {
      isOpen ||= /^[*?]/.test(item);
      for (const value of readValues(item, kind, at))
        values.add(kind === WEEKDAY ? value % 7 : value);
    }
    at += item.length + 1;
  }
  return { isOpen, values, hasLast, nth };
}

function readSpecialDay(
  item: string,
  kind: FieldKind,
  at: number,
): Field['nth'][number] | 'last' | undefined {
  if (kind === DAY && /^L$/i.test(item)) return 'last';
  const [, day = '', mark = '', which = ''] = /^(\w+?)(L|#)(\d*)$/i.exec(item) ?? [];
  if (kind !== WEEKDAY || mark === '' || (mark === '#') === (which === '')) return undefined;
  const weekday = readValue(day, kind, at) % 7;
  if (mark !== '#') return { weekday, which: 'last' };
  if (!/^[1-5]$/.test(which)) {
    throw new FieldProblem(
      `a weekday occurs at most 5 times in a month: write 1 to 5.`,
      at + day.length + 1,
    );
  }
  return { weekday, which: Number(which) };
}

function* readValues(item: string, kind: FieldKind, at: number): Iterable<number> {
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0)
    throw new FieldProblem('there is a second step.', at + item.lastIndexOf('/'));
  const [from, to] = readRange(range, kind, at, step !== undefined);
  const by = step === undefined ? 1 : readStep(step, kind, at + range.length + 1);
  for (let value = from; value <= to; value += by) yield value;
}

/** @param hasStep whether a single value starts a range to the end of the field. */
function readRange(
  range: string,
  kind: FieldKind,
  at: number,
  hasStep: boolean,
): [from: number, to: number] {
  // Excludes 7, the second Sunday.
  const last = kind === WEEKDAY ? 6 : kind.max;
  if (range === '*' || (range === '?' && kind.isDay === true)) return [kind.min, last];
  const dash = range.indexOf('-', 1);
  if (dash === -1) {
    const value = readValue(range, kind, at);
    return [value, hasStep ? Math.max(value, last) : value];
  }
  const from = readValue(range.slice(0, dash), kind, at);
  const to = readValue(range.slice(dash + 1), kind, at + dash + 1);
  // A week has no end: FRI-MON goes on past Saturday. Values from 7 on stand for the days of the next week.
  if (from > to && kind === WEEKDAY) return [from, to + 7];
  if (from > to) {
    throw new FieldProblem(
      `a range must ascend: write ${from}-${last},${kind.min}-${to} to go past the end.`,
      at,
    );
  }
  return [from, to];
}

function readStep(step: string, { name, min, max }: FieldKind, at: number): number {
  const most = max - min + 1;
  if (/^\d{1,2}$/.test(step) && Number(step) >= 1 && Number(step) <= most) return Number(step);
  throw new FieldProblem(`a step of the ${name} must be a whole number from 1 to ${most}.`, at);
}

function readValue(text: string, { name, min, max, names }: FieldKind, at: number): number {
  const word = text.toUpperCase();
  const index = names?.findIndex((known) => word === known || word === known.slice(0, 3)) ?? -1;
  if (index !== -1) return min + index;
  if (/^\d{1,2}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  const words =
    names === undefined ? '' : ` or ${names[0]!.slice(0, 3)} to ${names.at(-1)!.slice(0, 3)}`;
  const problem = text === '' ? `the ${name} is missing` : `"${text}" is not a valid ${name}`;
  throw new FieldProblem(`${problem}: ${min} to ${max}${words}.`, at);
}
