/**
 * Maps instants to the local time of a zone and back. Clock changes skip some local times and repeat others.
 *
 * One rule covers both: **a time is due when the local clock first shows it or a later time.** So a skipped time is due at the end
 * of the gap, and a repeated time at its first occurrence.
 */
import { didYouMean } from '../../../base/options/closest.ts';
import { scheduleProblem } from './problem.ts';

const DAY_MS = 86_400_000;

/** Takes 50 µs to construct. Instants are in milliseconds since 1970 UTC; local times too, as if the clock showed UTC. */
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
      // Offsets such as +08:00 are rejected: they ignore daylight saving time.
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

  /** Offset from UTC, in milliseconds, positive to the east. */
  offsetAt(instantMs: number): number {
    const [, month, day, year, hour, minute, second] = SHOWN.exec(this.#format.format(instantMs))!;
    const shownMs = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second!);
    return shownMs - Math.floor(instantMs / 1000) * 1000;
  }

  /** Local time at an instant. Goes backwards when the clock is set back; `reachedAt` does not. */
  shownAt(instantMs: number): number {
    return instantMs + this.offsetAt(instantMs);
  }

  /** Latest local time shown so far: ahead of `shownAt` while the clock repeats an hour. */
  reachedAt(instantMs: number): number {
    const [before, now] = [this.offsetAt(instantMs - DAY_MS), this.offsetAt(instantMs)];
    const shownMs = instantMs + now;
    if (before <= now) return shownMs;
    return Math.max(shownMs, this.#changeBetween(instantMs - DAY_MS, instantMs) + before - 1);
  }

  /** Whether the clock will be set back within a day and show this local time again. */
  isShownAgain(instantMs: number): boolean {
    const [now, later] = [this.offsetAt(instantMs), this.offsetAt(instantMs + DAY_MS)];
    if (later >= now) return false;
    const changeMs = this.#changeBetween(instantMs, instantMs + DAY_MS);
    return instantMs >= changeMs - (now - later);
  }

  /** Instant at which the clock first shows this local time or a later one. */
  firstShown(shownMs: number): number {
    // Offsets are below a day, so in every zone these instants lie on either side of `shownMs`.
    const [early, late] = [shownMs - DAY_MS, shownMs + DAY_MS];
    const [before, after] = [this.offsetAt(early), this.offsetAt(late)];
    if (before === after) return shownMs - before;
    const changeMs = this.#changeBetween(early, late);
    return shownMs < changeMs + before ? shownMs - before : Math.max(changeMs, shownMs - after);
  }

  /** Finds the offset change between two instants whose offsets differ. Assumes at most one change in two days. */
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
