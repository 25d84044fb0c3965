/**
 * Derives the facts of a practice from the data message in the prompt. Missing or mistyped values are unknown.
 *
 *     <practice_data>
 *     {"locale", "practice": {"title", "action"?, "tags"?, "durationDays", "timesPerWeek", "sessionMinutes"?, "reflection"?},
 *      "owner": {"nickname"?, "slogan"?}, "statistics": {...}, "notes": [{"day", "mood"?, "text"}]}
 *     </practice_data>
 */
import { hash } from './embedding.ts';
import { moodOf, moodsOf, type Mood, type Moods } from './moods.ts';
import {
  isIn,
  noteLength,
  quotable,
  quoteFrom,
  quoteOf,
  type Locale,
  type Quote,
} from './quotes.ts';

export interface NoteQuote extends Quote {
  day: number;
  mood: Mood | undefined;
  isFromLongNote: boolean;
}

export interface Facts {
  locale: Locale;
  title: string | undefined;
  nickname: string | undefined;
  action: string | undefined;
  /** The first in the language of the text; slogan, action and reflection are in it too. */
  tag: string | undefined;
  slogan: string | undefined;
  reflection: Quote | undefined;
  durationDays: number;
  /** The planned minimum. */
  daysPerWeek: number;
  sessionMinutes: number | undefined;
  /** Distinct days with a check-in. */
  days: number;
  /** Whether `days` equals the planned minimum, or exceeds it by at least a quarter. */
  planned: 'exactly' | 'more' | undefined;
  moods: Moods | undefined;
  /** 0 is Sunday. */
  favouriteWeekday: number | undefined;
  pause: Pause | undefined;
  lengths: Lengths | undefined;
  notesWritten: 'all' | 'some' | undefined;
  /** At most one per note, oldest first. */
  quotes: NoteQuote[];
  notes: Note[];
  /** Picks a variant by the practice and `salt` alone, not by the language. */
  vary: <T>(salt: string, variants: readonly T[]) => T;
}

/** The longest pause. It is long if it exceeds two intervals of the planned frequency. */
export interface Pause {
  days: number;
  /** Undefined if it is longer than that, but no longer than a weekend. */
  kind: 'long' | 'short' | undefined;
}

export type Lengths =
  | { kind: 'grew' }
  | { kind: 'even' }
  | { kind: 'varied'; longDay: number; shortDay: number };

interface Note {
  day: number;
  mood: Mood | undefined;
  text: string;
}

const DATA = /^<practice_data>\n([\s\S]*)\n<\/practice_data>$/;

/** A note of this length fills half a phone screen. */
const LONG_NOTE = 120;

/** The most foreign characters or words in a name, so that they do not outweigh the text. */
const FOREIGN = { title: 12, nickname: 6 };

/** Reads the last data message; undefined without a valid one. */
export function findFacts(messages: unknown[]): Facts | undefined {
  for (const message of messages.toReversed()) {
    const content = recordOf(message)['content'];
    const json = typeof content === 'string' ? DATA.exec(content.trim())?.[1] : undefined;
    if (json === undefined) continue;
    try {
      return read(recordOf(JSON.parse(json)));
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function read(data: Record<string, unknown>): Facts {
  const practice = recordOf(data['practice']);
  const owner = recordOf(data['owner']);
  const statistics = recordOf(data['statistics']);
  const locale: Locale = data['locale'] === 'en' ? 'en' : 'zh-TW';
  const seed = hash(JSON.stringify({ ...data, locale: null }));

  const own = (value: unknown): string | undefined => {
    const text = quotable(value);
    return text !== undefined && isIn(locale, text) ? text : undefined;
  };
  const durationDays = numberOf(practice['durationDays']) ?? 0;
  const daysPerWeek = Math.min(Math.max(numberOf(practice['timesPerWeek']) ?? 1, 1), 7);
  const days = numberOf(statistics['days']) ?? 0;
  const checkIns = numberOf(statistics['checkIns']) ?? days;
  const notes = listOf(data['notes']).map(noteOf);
  return {
    locale,
    title: quotable(practice['title'], locale, FOREIGN.title),
    nickname: quotable(owner['nickname'], locale, FOREIGN.nickname),
    action: own(practice['action']),
    tag: listOf(practice['tags']).map(own).find(Boolean),
    slogan: own(owner['slogan']),
    reflection: reflectionOf(practice['reflection'], locale),
    durationDays,
    daysPerWeek,
    sessionMinutes: numberOf(practice['sessionMinutes']),
    days,
    planned: plannedOf(days, Math.ceil((durationDays * daysPerWeek) / 7)),
    moods: moodsOf({
      start: moodOf(statistics['moodAtStart']),
      end: moodOf(statistics['moodAtEnd']),
      trend: statistics['moodTrend'],
      counts: recordOf(statistics['moods']),
      repeated: Math.max(checkIns - days, 0),
    }),
    favouriteWeekday: numberOf(statistics['favouriteWeekday']),
    pause: pauseOf(numberOf(statistics['longestPauseDays']), daysPerWeek),
    lengths: lengthsOf(statistics, notes),
    notesWritten: notesWrittenOf(numberOf(statistics['notes']), checkIns),
    quotes: notes.flatMap(({ day, mood, text }) => {
      const quote = quoteOf(text, locale);
      const isFromLongNote = noteLength(text) >= LONG_NOTE;
      return quote === undefined ? [] : [{ ...quote, day, mood, isFromLongNote }];
    }),
    notes,
    vary: (salt, variants) => variants[hash(`${seed}:${salt}`) % variants.length]!,
  };
}

function noteOf(value: unknown): Note {
  const { day, mood, text } = recordOf(value);
  return {
    day: numberOf(day) ?? 1,
    mood: moodOf(mood),
    text: typeof text === 'string' ? text : '',
  };
}

function pauseOf(days = 0, daysPerWeek: number): Pause | undefined {
  if (days < 1) return undefined;
  if (days + 1 <= (2 * 7) / daysPerWeek) return { days, kind: 'short' };
  return { days, kind: days > 2 ? 'long' : undefined };
}

function notesWrittenOf(notes = 0, checkIns: number): Facts['notesWritten'] {
  if (notes === 0) return undefined;
  return notes < checkIns ? 'some' : 'all';
}

function plannedOf(days: number, planned: number): Facts['planned'] {
  if (planned < 2) return undefined;
  if (days === planned) return 'exactly';
  return days >= 1.25 * planned ? 'more' : undefined;
}

/** The prompt holds only the most telling notes. Two can prove that lengths vary; only all can prove that they are even. */
function lengthsOf(
  statistics: Record<string, unknown>,
  notes: readonly Note[],
): Lengths | undefined {
  if (statistics['notesGrew'] === true) return { kind: 'grew' };
  const ranked = notes
    .map(({ day, text }) => ({ day, length: noteLength(text) }))
    .filter(({ length }) => length > 0)
    .toSorted((a, b) => a.length - b.length);
  const [short, long] = [ranked[0], ranked.at(-1)];
  if (short === undefined || long === undefined || ranked.length < 2) return undefined;
  if (long.length >= 3 * short.length && long.day !== short.day) {
    return { kind: 'varied', longDay: long.day, shortDay: short.day };
  }
  const isAll =
    ranked.length === statistics['notes'] && notes.every(({ text }) => !text.endsWith('…'));
  return isAll && long.length <= 1.3 * short.length ? { kind: 'even' } : undefined;
}

function reflectionOf(value: unknown, locale: Locale): Quote | undefined {
  if (typeof value !== 'string' || !isIn(locale, value)) return undefined;
  return quoteFrom([value.trim()], locale) ?? quoteOf(value, locale);
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
