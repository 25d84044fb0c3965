/** Timetables: the slots at which a schedule is due, determined by the options alone. */
import { Cron } from './cron.ts';
import { scheduleProblem } from './problem.ts';
import { Zone } from './zone.ts';

export const DEFAULT_TIMEZONE = 'Asia/Taipei';

/** Slots start in 1970. */
const EARLIEST_MS = 0;
export const MIN_EVERY_MS = 1000;
export const MAX_EVERY_MS = 366 * 86_400_000;

export interface TimetableOptions {
  /** Cron expression (cron.ts). Exactly one of `cron` and `everyMs` is required. */
  cron?: string | undefined;
  /** Interval between slots, in milliseconds: 1,000 to 366 days, counted from `startAt` or 1970. */
  everyMs?: number | undefined;
  /** IANA time zone of `cron`. Default `Asia/Taipei`. */
  timezone?: string | undefined;
  /** Earliest slot. Default: none. */
  startAt?: Date | undefined;
  /** Latest slot. Default: none. */
  endAt?: Date | undefined;
}

/** Instants are in milliseconds since 1970. */
export class Timetable {
  readonly zone: Zone;
  readonly #cron: Cron | undefined;
  readonly #everyMs: number;
  readonly #startMs: number;
  readonly #endMs: number;

  /** @throws {AppError} `SCHEDULE_INVALID` */
  constructor({ cron, everyMs, timezone = DEFAULT_TIMEZONE, startAt, endAt }: TimetableOptions) {
    if ((cron === undefined) === (everyMs === undefined)) {
      throw scheduleProblem('cron', 'give either cron or everyMs.', {
        example: 'cron "0 2 * * *", or everyMs 60000.',
      });
    }
    if (everyMs !== undefined && !isInterval(everyMs)) {
      const sentence = `it must be a whole number of milliseconds from ${MIN_EVERY_MS} to ${MAX_EVERY_MS}.`;
      throw scheduleProblem('everyMs', sentence, { example: '60000 is once a minute.' });
    }
    this.zone = Zone.of(timezone);
    this.#cron = cron === undefined ? undefined : new Cron(cron);
    this.#everyMs = everyMs ?? 0;
    this.#startMs = timeOf('startAt', startAt) ?? Number.NEGATIVE_INFINITY;
    this.#endMs = timeOf('endAt', endAt) ?? Number.POSITIVE_INFINITY;
    if (this.#startMs > this.#endMs) {
      throw scheduleProblem('endAt', 'it is before startAt.', {
        example: 'startAt in January, endAt in February.',
      });
    }
  }

  /** Whether the slots follow local time and its clock changes. */
  get isByClock(): boolean {
    return this.#cron !== undefined;
  }

  /** The first slot later than `afterMs`; undefined after the last slot. */
  next(afterMs: number): number | undefined {
    const slotMs = this.#nextFrom(Math.max(afterMs, this.#startMs - 1, EARLIEST_MS - 1));
    return slotMs > this.#endMs ? undefined : slotMs;
  }

  /** The last slot later than `afterMs` and no later than `untilMs`. */
  last(afterMs: number, untilMs: number): number | undefined {
    const isDue = (slotMs: number | undefined): boolean =>
      slotMs !== undefined && slotMs <= untilMs;
    let found = this.next(afterMs);
    if (!isDue(found)) return undefined;
    let [low, high] = [found!, untilMs];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const slotMs = this.next(middle);
      if (isDue(slotMs)) [found, low] = [slotMs, slotMs!];
      else high = middle;
    }
    return found;
  }

  #nextFrom(afterMs: number): number {
    if (this.#cron !== undefined) {
      return this.zone.firstShown(this.#cron.next(this.zone.reachedAt(afterMs))!);
    }
    const originMs = Number.isFinite(this.#startMs) ? this.#startMs : 0;
    const count = Math.floor((afterMs - originMs) / this.#everyMs) + 1;
    return originMs + count * this.#everyMs;
  }
}

const isInterval = (ms: number): boolean =>
  Number.isInteger(ms) && ms >= MIN_EVERY_MS && ms <= MAX_EVERY_MS;

function timeOf(field: string, time: Date | undefined): number | undefined {
  if (time === undefined) return undefined;
  if (Number.isNaN(time.getTime())) {
    throw scheduleProblem(field, 'it is not a valid date.', {
      example: '2026-03-01T00:00:00+08:00.',
    });
  }
  return time.getTime();
}
