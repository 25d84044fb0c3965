/**
 * The course of the moods in a practice.
 */

export type Mood = 'give_up' | 'frustrated' | 'bored' | 'neutral' | 'good' | 'happy';

export interface Moods {
  /** Of the first and the last third of the check-ins with a mood. */
  start: Mood;
  end: Mood;
  change: 'lighter' | 'heavier' | 'both' | 'same' | 'single';
  /** The mood of more than half of the check-ins with a mood, and of at least three. */
  usual: Mood | undefined;
  counts: Record<Mood, number>;
  /** Check-ins on a day with another one: possibly a double tap rather than a second mood. */
  repeated: number;
}

/** From the heaviest to the lightest. */
const MOODS: readonly Mood[] = ['give_up', 'frustrated', 'bored', 'neutral', 'good', 'happy'];

export function moodOf(value: unknown): Mood | undefined {
  return MOODS.find((mood) => mood === value);
}

export function moodsOf(given: {
  start: Mood | undefined;
  end: Mood | undefined;
  trend: unknown;
  counts: Record<string, unknown>;
  repeated: number;
}): Moods | undefined {
  const { start, end, trend, repeated } = given;
  if (start === undefined || end === undefined) return undefined;
  const counts = Object.fromEntries(
    MOODS.map((mood) => {
      const count = given.counts[mood];
      return [mood, typeof count === 'number' ? count : 0];
    }),
  ) as Moods['counts'];
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const usual = MOODS.find((mood) => {
    const times = counts[mood] - repeated;
    return times >= 3 && times > total / 2;
  });
  return { start, end, change: changeOf(start, end, total, trend), usual, counts, repeated };
}

/** `start` and `end` are the most frequent moods, the trend is an average; they must agree on a change. */
function changeOf(start: Mood, end: Mood, total: number, trend: unknown): Moods['change'] {
  if (total <= 1) return 'single';
  if (start === end) return 'same';
  const rises = MOODS.indexOf(end) > MOODS.indexOf(start);
  if (rises && trend === 'lighter') return 'lighter';
  return !rises && trend === 'heavier' ? 'heavier' : 'both';
}
