/** Facts from check-ins that the coach may mention. By rule, no streaks and no scores. */
import type { CheckIn, Mood } from '../../db/daodao/practices.ts';
import { noteLength } from './notes.ts';

export interface Statistics {
  checkIns: number;
  /** Distinct check-in days. */
  days: number;
  /** Number of check-ins with a note. */
  notes: number;
  moods?: Partial<Record<Mood, number>>;
  /** The most frequent mood in the first and last third of check-ins with a mood; ties go to the earliest and the latest. */
  moodAtStart?: Mood;
  moodAtEnd?: Mood;
  moodTrend?: 'lighter' | 'heavier' | 'steady';
  /** 0 is Sunday; absent when no weekday stands out. */
  favouriteWeekday?: number;
  /** Longest gap between check-ins, in days without any. */
  longestPauseDays: number;
  /** Whether the notes of the second half average over 1.3 times the length of the first half's. */
  notesGrew: boolean;
}

const WEIGHT: Record<Mood, number> = {
  give_up: -2,
  frustrated: -1,
  bored: -0.5,
  neutral: 0,
  good: 1,
  happy: 2,
};

/** @param checkIns oldest first. */
export function summarise(checkIns: readonly CheckIn[]): Statistics {
  const days = [...new Set(checkIns.map((checkIn) => checkIn.date))].toSorted();
  const notes = checkIns.map(({ note }) => noteLength(note ?? '')).filter((length) => length > 0);
  const half = Math.floor(notes.length / 2);
  const weekday = favouriteWeekday(days);
  return {
    checkIns: checkIns.length,
    days: days.length,
    notes: notes.length,
    ...moodFacts(checkIns.flatMap(({ mood }) => (mood === null ? [] : [mood]))),
    ...(weekday === undefined ? {} : { favouriteWeekday: weekday }),
    longestPauseDays: Math.max(0, ...days.slice(1).map((day, i) => daysBetween(days[i]!, day) - 1)),
    notesGrew: half > 0 && average(notes.slice(-half)) > 1.3 * average(notes.slice(0, half)),
  };
}

/** Days from one `YYYY-MM-DD` to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

function moodFacts(moods: readonly Mood[]): Partial<Statistics> {
  if (moods.length === 0) return {};
  const third = Math.ceil(moods.length / 3);
  const [start, end] = [moods.slice(0, third), moods.slice(-third)];
  const change = average(end.map((m) => WEIGHT[m])) - average(start.map((m) => WEIGHT[m]));
  return {
    moods: Object.fromEntries(count(moods)),
    moodAtStart: mostFrequent(start),
    moodAtEnd: mostFrequent(end.toReversed()),
    moodTrend: change > 0.3 ? 'lighter' : change < -0.3 ? 'heavier' : 'steady',
  };
}

/** The weekday with the most days: at least three, and more than any other. */
function favouriteWeekday(days: readonly string[]): number | undefined {
  const ranked = [...count(days.map((day) => new Date(day).getUTCDay()))].toSorted(
    (a, b) => b[1] - a[1],
  );
  const [first, second] = ranked;
  return first !== undefined && first[1] >= 3 && first[1] > (second?.[1] ?? 0)
    ? first[0]
    : undefined;
}

function mostFrequent(moods: readonly Mood[]): Mood {
  return [...count(moods)].toSorted((a, b) => b[1] - a[1])[0]![0];
}

function count<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
