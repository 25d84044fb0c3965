/**
 * What the coach may claim, with what the wording of each claim needs. Which facts license which claim is decided in
 * `coach-plan.ts`; every language words them all.
 */
import type { Facts } from './facts.ts';
import type { Mood } from './moods.ts';
import { prevails, type Quote } from './quotes.ts';

/** What changed. */
interface ChangeClaims {
  oneDay: Titled;
  fewDays: Titled;
  someDays: Titled;
  manyDays: Titled;
  weeksBehind: Titled & { weeks: number };
  /** Not an opening: it looks back on what was just said. */
  asLived: Titled;

  moodUnmarked: object;
  moodSingle: { mood: Mood };
  /** The same near the beginning and near the end; `usual` when most check-ins have it. */
  moodSame: { mood: Mood; usual: boolean };
  moodLighter: MoodChange;
  /** Along the way they felt like giving up. */
  moodLighterAfterLow: MoodChange & { once: boolean };
  /** No two check-ins have the same mood. */
  moodLighterStepwise: MoodChange;
  /** The mood of the beginning was never marked again. */
  moodLighterForGood: MoodChange;
  /** The same, and the mood of the end was marked more than once. */
  moodLighterMoreThanOnce: MoodChange;
  moodHeavier: MoodChange;
  moodBoth: MoodChange;
  moodUsual: { mood: Mood };

  discovered: Quoted;
  wroteInMood: Quoted & { mood: Mood };
  wroteAtLength: Quoted;
  wrote: Quoted;
}

/** When they came. */
export interface RhythmClaims {
  presence: Presence;
  /** On as many days as the practice has, or more. */
  presenceFull: Presence;
  presenceWeekly: Presence;
  /** With few minutes, or with many. */
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
  /** Whether all check-ins have a note. */
  everyNote: object;
  wordless: object;
  action: { action: string };
  daysBetween: object;
}

/** What it may mean. */
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

/** The wordings of claims in one language. */
export type Wordings<Of = Claims> = { [Name in keyof Of]: (claim: Of[Name]) => readonly string[] };

/** Names of people in front of a paragraph are not counted, so they are left this much room. */
const MARGIN = 6;

/** The sentences of a paragraph; quotes in another script give way where they would outweigh it. */
export function word(claims: readonly Claim[], facts: Facts, wordings: Wordings): string[] {
  const worded = claims.map((claim) => {
    const variants = (wordings[claim.name] as (claim: Claim) => readonly string[])(claim);
    return { claim, text: facts.vary(claim.name, variants) };
  });
  const sentences = worded.map(({ text }) => text);
  if (prevails(facts.locale, sentences.join(' '), MARGIN)) return sentences;
  return worded.flatMap(({ claim, text }) => ('quote' in claim ? [] : [text]));
}
