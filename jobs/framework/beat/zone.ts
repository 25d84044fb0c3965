/**
 * What clocks show in a time zone, and when. Clocks are put forward and back, so a time may never be shown, or twice.
 *
 * One rule covers all: **a time is due when the clocks of its zone first show it or a later one.** What lies in a gap is due when the
 * gap ends; what comes twice is due the first time.
 */
import { didYouMean } from '../../../base/closest.ts';
import { scheduleProblem } from './problem.ts';

const DAY_MS = 86_400_000;

/** Costs some 50 µs to make. Instants are in milliseconds since 1970 in UTC; a time that a clock shows is given as if the clock showed UTC. */
export class Zone {
  static readonly #known = new Map<string, Zone>();
  readonly #format: Intl.DateTimeFormat;

  /** @throws {AppError} `SCHEDULE_INVALID` for a name that is not in the IANA database. */
  static of(name: string): Zone {
    const key = name.toLowerCase();
    let zone = Zone.#known.get(key);
    if (zone === undefined) Zone.#known.set(key, (zone = new Zone(name)));
    return zone;
  }

  private constructor(name: string) {
    try {
      // An offset such as +08:00 is no zone: it knows no summer.
      if (!/^[A-Za-z]/.test(name)) throw new RangeError(name);
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      });
    } catch {
      const hint = didYouMean(name, Intl.supportedValuesOf('timeZone'));
      throw scheduleProblem('timezone', `there is no such time zone.${hint}`, {
        text: name.slice(0, 64),
        example: '"Asia/Taipei".',
      });
    }
  }

  /** By how much clocks are ahead of UTC. */
  offsetAt(instantMs: number): number {
    const [, month, day, year, hour, minute, second] = SHOWN.exec(this.#format.format(instantMs))!;
    const shownMs = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second!);
    return shownMs - Math.floor(instantMs / 1000) * 1000;
  }

  /** What clocks show; how far they had got is `reachedAt`. */
  shownAt(instantMs: number): number {
    return instantMs + this.offsetAt(instantMs);
  }

  /** The latest time that clocks have shown by now: not what they show now, while they repeat an hour. */
  reachedAt(instantMs: number): number {
    const [before, now] = [this.offsetAt(instantMs - DAY_MS), this.offsetAt(instantMs)];
    const shownMs = instantMs + now;
    if (before <= now) return shownMs;
    return Math.max(shownMs, this.#changeBetween(instantMs - DAY_MS, instantMs) + before - 1);
  }

  /** Whether clocks, put back, show the present time once more within a day. */
  isShownAgain(instantMs: number): boolean {
    const [now, later] = [this.offsetAt(instantMs), this.offsetAt(instantMs + DAY_MS)];
    if (later >= now) return false;
    const changeMs = this.#changeBetween(instantMs, instantMs + DAY_MS);
    return instantMs >= changeMs - (now - later);
  }

  /** When clocks first show a time or a later one. */
  firstShown(shownMs: number): number {
    // Clocks differ from UTC by less than a day, so that these are before and after it anywhere.
    const [early, late] = [shownMs - DAY_MS, shownMs + DAY_MS];
    const [before, after] = [this.offsetAt(early), this.offsetAt(late)];
    if (before === after) return shownMs - before;
    const changeMs = this.#changeBetween(early, late);
    return shownMs < changeMs + before ? shownMs - before : Math.max(changeMs, shownMs - after);
  }

  /** The instant of the change between two instants whose offsets differ. Two days never have two. */
  #changeBetween(early: number, late: number): number {
    const before = this.offsetAt(early);
    let [low, high] = [early, late];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }
}

const SHOWN = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;
