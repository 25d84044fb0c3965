/** Upcoming slots for display. */
import type { Timetable } from './timetable.ts';
import type { Zone } from './zone.ts';

export interface Upcoming {
  at: Date;
  /** Local time with the offset from UTC: `2026-03-08T03:00:00-04:00`. */
  local: string;
  /** How a clock change affects the slot, or null. */
  note: string | null;
}

export function upcoming(timetable: Timetable, after: Date, count: number): Upcoming[] {
  const found: Upcoming[] = [];
  let slotMs = timetable.next(after.getTime());
  while (slotMs !== undefined && found.length < count) {
    const { zone } = timetable;
    found.push({
      at: new Date(slotMs),
      local: localTime(zone, slotMs),
      note: timetable.isByClock ? noteOf(zone, slotMs) : null,
    });
    slotMs = timetable.next(slotMs);
  }
  return found;
}

export function localTime(zone: Zone, instantMs: number): string {
  const offsetMs = zone.offsetAt(instantMs);
  const shown = new Date(instantMs + offsetMs).toISOString().slice(0, 19);
  const minutes = Math.abs(Math.round(offsetMs / 60_000));
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60];
  return `${shown}${offsetMs < 0 ? '-' : '+'}${two(hour)}:${two(minute)}`;
}

function noteOf(zone: Zone, instantMs: number): string | null {
  const skippedMs = zone.offsetAt(instantMs) - zone.offsetAt(instantMs - 1);
  if (skippedMs > 0) {
    const shownMs = zone.shownAt(instantMs);
    return (
      `Clocks go forward from ${clock(shownMs - skippedMs)} to ${clock(shownMs)}: ` +
      'slots in between are due now, once.'
    );
  }
  if (!zone.isShownAgain(instantMs)) return null;
  return 'Clocks go back and show this time twice: the slot is due only the first time.';
}

const two = (number: number): string => String(number).padStart(2, '0');
const clock = (shownMs: number): string => new Date(shownMs).toISOString().slice(11, 16);
