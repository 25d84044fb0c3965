/**
 * The claims of the coach and the values their wordings need. `plan.ts` decides which facts license which claim; every
 * language words all of them.
 */
import type { Facts } from './facts.ts';
import type { Mood } from './moods.ts';
import { prevails, type Quote } from './quotes.ts';

interface ChangeClaims {
  oneDay: Titled;
  fewDays: Titled;
  someDays: Titled;
  manyDays: Titled;
  weeksBehind: Titled & { weeks: number };
  /** Closes the paragraph: it refers back to the sentences before it. */
  asLived: Titled;

  moodUnmarked: object;
  moodSingle: { mood: Mood };
  /** The same mood near the beginning and near the end; `usual` if most check-ins have it. */
  moodSame: { mood: Mood; usual: boolean };
  moodLighter: MoodChange;
  /** The owner felt like giving up in between. */
  moodLighterAfterLow: MoodChange & { once: boolean };
  /** No two check-ins have the same mood. */
  moodLighterStepwise: MoodChange;
  /** The owner never marked the first mood again. */
  moodLighterForGood: MoodChange;
  /** Likewise, and the owner marked the last mood more than once. */
  moodLighterMoreThanOnce: MoodChange;
  moodHeavier: MoodChange;
  moodBoth: MoodChange;
  moodUsual: { mood: Mood };

  discovered: Quoted;
  wroteInMood: Quoted & { mood: Mood };
  wroteAtLength: Quoted;
  wrote: Quoted;
}

export interface RhythmClaims {
  presence: Presence;
  /** On as many days as the practice lasts, or more. */
  presenceFull: Presence;
  presenceWeekly: Presence;
  presenceBriefly: Presence & { minutes: number };
  presenceAtLength: Presence & { minutes: number };

  asPlanned: { daysPerWeek: number };
  morePlanned: { daysPerWeek: number };
  favouriteWeekday: { weekday: number };
  noFavouriteWeekday: object;
  pauseLong: { days: number };
  pauseShort: { days: number };
  notesGrew: object;
  notesVaried: { longDay: number; shortDay: number };
  notesEven: object;
  /** Each check-in has a note; in `wordless`, only some do. */
  everyNote: object;
  wordless: object;
  action: { action: string };
  daysBetween: object;
}

interface InsightClaims {
  discoveredToo: Quoted;
  wroteToo: Quoted;
  reflection: { quote: Quote };
  slogan: { slogan: string };
  tag: { tag: string };
  twoDays: { from: number; to: number };
  smallThings: object;
  askDiscovery: object;
  askBeginner: { mood: Mood };
  askLow: object;
  askReturn: object;
  askWeekday: { weekday: number };
  askPicture: object;
  askNext: object;
  askFriend: object;
  askRename: object;
}

type Claims = ChangeClaims & RhythmClaims & InsightClaims;

interface Titled {
  title: string | undefined;
  days: number;
}
interface MoodChange {
  start: Mood;
  end: Mood;
}
interface Quoted {
  quote: Quote;
  day: number;
}
interface Presence {
  days: number;
  durationDays: number;
  minutes: number | undefined;
}

export type Claim = { [Name in keyof Claims]: { name: Name } & Claims[Name] }[keyof Claims];

export type Wordings<Of = Claims> = { [Name in keyof Of]: (claim: Of[Name]) => readonly string[] };

/** Room for the nickname before a paragraph, which `prevails` does not count. */
const MARGIN = 6;

/** The sentences of a paragraph, without quotes if a foreign script would otherwise prevail. */
export function word(claims: readonly Claim[], facts: Facts, wordings: Wordings): string[] {
  const worded = claims.map((claim) => {
    const variants = (wordings[claim.name] as (claim: Claim) => readonly string[])(claim);
    return { claim, text: facts.vary(claim.name, variants) };
  });
  const sentences = worded.map(({ text }) => text);
  if (prevails(facts.locale, sentences.join(' '), MARGIN)) return sentences;
  return worded.flatMap(({ claim, text }) => ('quote' in claim ? [] : [text]));
}
