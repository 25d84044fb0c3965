/**
 * Plans three paragraphs of claims, each licensed by a fact, for all languages. Distinctive facts come first and decide
 * the order, so that two practices read differently.
 */
import type { Claim } from './claims.ts';
import type { Facts, NoteQuote } from './facts.ts';
import type { Moods } from './moods.ts';

export type Plan = Record<'breakthrough' | 'rhythm' | 'insight', Claim[]>;

/** Inclusive bounds, on days with a check-in and on minutes per session. */
const MANY_DAYS = 10;
const FEW_DAYS = 4;
const MANY_MINUTES = 40;
const FEW_MINUTES = 10;
/** The most claims in addition to `presence`. */
const RHYTHM_CLAIMS = 3;

export function planOf(facts: Facts): Plan {
  const [first, second] = facts.quotes;
  return {
    breakthrough: breakthrough(facts, first),
    rhythm: rhythm(facts),
    insight: insight(facts, second),
  };
}

/** Opens with the practice, or with a telling quote or a change of mood and ends with the practice. */
function breakthrough(facts: Facts, quote: NoteQuote | undefined): Claim[] {
  const { title, days, durationDays, moods, vary } = facts;
  const moodClaims = moodsClaimed(moods);
  const quoted = quote === undefined ? [] : [firstQuote(quote, moods)];
  const orders: Claim[][] = [[opening(facts), ...moodClaims, ...quoted]];
  const asLived: Claim = { name: 'asLived', title, days };
  if (
    days > 1 &&
    quote !== undefined &&
    (quote.tellsOfDiscovery || quote.day <= durationDays / 3)
  ) {
    orders.push([...quoted, ...moodClaims, asLived]);
  }
  if (days > 1 && (moods?.change === 'lighter' || moods?.change === 'heavier')) {
    orders.push([...moodClaims, ...quoted, asLived]);
  }
  return vary('order', orders);
}

function opening({ title, days, durationDays, vary }: Facts): Claim {
  if (days <= 1) return { name: 'oneDay', title, days };
  const name = days >= MANY_DAYS ? 'manyDays' : days <= FEW_DAYS ? 'fewDays' : 'someDays';
  const openings: Claim[] = [{ name, title, days }];
  if (durationDays >= 14 && durationDays % 7 === 0) {
    openings.push({ name: 'weeksBehind', title, days, weeks: durationDays / 7 });
  }
  return vary('openings', openings);
}

function moodsClaimed(moods: Moods | undefined): Claim[] {
  if (moods === undefined) return [{ name: 'moodUnmarked' }];
  const { start, end, change, usual } = moods;
  if (change === 'single') return [{ name: 'moodSingle', mood: end }];
  if (change === 'same') return [{ name: 'moodSame', mood: end, usual: usual === end }];
  const claim: Claim =
    change === 'lighter'
      ? lighter(moods)
      : { name: change === 'heavier' ? 'moodHeavier' : 'moodBoth', start, end };
  return usual === undefined ? [claim] : [claim, { name: 'moodUsual', mood: usual }];
}

function lighter({ start, end, counts, repeated }: Moods): Claim {
  const change = { start, end };
  if (start !== 'give_up' && counts.give_up > 0) {
    return { name: 'moodLighterAfterLow', ...change, once: counts.give_up === 1 };
  }
  const marked = Object.values(counts).filter((count) => count > 0);
  if (marked.length >= 3 && marked.every((count) => count === 1)) {
    return { name: 'moodLighterStepwise', ...change };
  }
  if (counts[start] > 1) return { name: 'moodLighter', ...change };
  return counts[end] - repeated > 1
    ? { name: 'moodLighterMoreThanOnce', ...change }
    : { name: 'moodLighterForGood', ...change };
}

function firstQuote(
  { day, mood, isFromLongNote, ...quote }: NoteQuote,
  moods: Moods | undefined,
): Claim {
  if (quote.tellsOfDiscovery && !quote.isCut) return { name: 'discovered', quote, day };
  if (isFromLongNote) return { name: 'wroteAtLength', quote, day };
  // The sentence before names the only mood.
  return mood === undefined || moods?.change === 'single'
    ? { name: 'wrote', quote, day }
    : { name: 'wroteInMood', quote, day, mood };
}

/** Always states the number of days, then distinctive claims, then ordinary ones up to the limit. */
function rhythm(facts: Facts): Claim[] {
  const { days, durationDays, action, vary } = facts;
  const claims = [...particularRhythm(facts), ...ordinaryRhythm(facts)].slice(0, RHYTHM_CLAIMS);
  if (claims.length < 2 && days < durationDays) claims.push({ name: 'daysBetween' });
  const rest = claims.filter(({ name }) => name !== 'action');
  const plan: Claim[] =
    action === undefined || rest.length === claims.length ? [] : [{ name: 'action', action }];
  return vary('plan', [
    [...plan, presence(facts), ...rest],
    [presence(facts), ...plan, ...rest],
    [presence(facts), ...rest, ...plan],
  ]);
}

function presence({ days, durationDays, daysPerWeek, sessionMinutes: minutes }: Facts): Claim {
  const fields = { days, durationDays, minutes };
  if (days >= durationDays) return { name: 'presenceFull', ...fields };
  if (daysPerWeek === 1 && durationDays >= 14) return { name: 'presenceWeekly', ...fields };
  if (minutes !== undefined && minutes <= FEW_MINUTES) {
    return { name: 'presenceBriefly', ...fields, minutes };
  }
  if (minutes !== undefined && minutes >= MANY_MINUTES) {
    return { name: 'presenceAtLength', ...fields, minutes };
  }
  return { name: 'presence', ...fields };
}

function particularRhythm(facts: Facts): Claim[] {
  const { favouriteWeekday, pause, lengths, daysPerWeek, planned } = facts;
  const claims: Claim[] = [];
  if (lengths?.kind === 'grew') claims.push({ name: 'notesGrew' });
  if (lengths?.kind === 'even') claims.push({ name: 'notesEven' });
  if (lengths?.kind === 'varied') {
    const { longDay, shortDay } = lengths;
    claims.push({ name: 'notesVaried', longDay, shortDay });
  }
  if (pause?.kind === 'long') claims.unshift({ name: 'pauseLong', days: pause.days });
  if (favouriteWeekday !== undefined) {
    claims.unshift({ name: 'favouriteWeekday', weekday: favouriteWeekday });
  }
  if (planned === 'more') claims.push({ name: 'morePlanned', daysPerWeek });
  if (facts.notesWritten === 'some') claims.push({ name: 'wordless' });
  return claims;
}

/** Claims that fit most practices, the more telling ones first, in varying order. */
function ordinaryRhythm(facts: Facts): Claim[] {
  const { days, durationDays, daysPerWeek, planned, action, pause, favouriteWeekday, vary } = facts;
  const telling: Claim[] = [];
  if (planned === 'exactly' && daysPerWeek > 1 && days < durationDays) {
    telling.push({ name: 'asPlanned', daysPerWeek });
  }
  if (action !== undefined) telling.push({ name: 'action', action });
  const rest: Claim[] = [];
  if (pause?.kind === 'short' && days > 2) rest.push({ name: 'pauseShort', days: pause.days });
  if (favouriteWeekday === undefined && days >= 6) rest.push({ name: 'noFavouriteWeekday' });
  if (facts.notesWritten === 'all' && days > 2) rest.push({ name: 'everyNote' });
  return [...turned(telling, vary('telling', [0, 1])), ...turned(rest, vary('rest', [0, 1, 2]))];
}

function insight(facts: Facts, quote: NoteQuote | undefined): Claim[] {
  const quoted = quote === undefined ? [] : [secondQuote(quote)];
  const meant = meaning(facts, quote);
  const body: Claim[] = facts.vary('insight', [
    [...quoted, ...meant],
    [...meant, ...quoted],
  ]);
  return [...body, question(facts, body.at(-1)!)];
}

function secondQuote({ day, mood: _mood, isFromLongNote: _isLong, ...quote }: NoteQuote): Claim {
  const name = quote.tellsOfDiscovery && !quote.isCut ? 'discoveredToo' : 'wroteToo';
  return { name, quote, day };
}

/** Prefers the owner's reflection; never empty. */
function meaning(facts: Facts, quote: NoteQuote | undefined): Claim[] {
  const { reflection, slogan, tag, quotes, vary } = facts;
  if (reflection !== undefined) return [{ name: 'reflection', quote: reflection }];
  const claims: Claim[] = [];
  if (slogan !== undefined) claims.push({ name: 'slogan', slogan });
  if (tag !== undefined) claims.push({ name: 'tag', tag });
  if (claims.length > 0) return [vary('meaning', claims)];
  claims.push({ name: 'smallThings' });
  const [from, to] = [quotes[0]?.day, quote?.day];
  if (from !== undefined && to !== undefined && from < to)
    claims.push({ name: 'twoDays', from, to });
  return [vary('meaning', claims)];
}

/** @param last the claim before it, to which a question about "this" refers. */
function question(facts: Facts, last: Claim): Claim {
  const { moods, favouriteWeekday, pause, vary } = facts;
  const claims: Claim[] = [];
  if (last.name === 'discoveredToo') claims.push({ name: 'askDiscovery' });
  if (moods?.change === 'lighter') {
    if (moods.counts.give_up > 0) claims.push({ name: 'askLow' });
    else if (moods.start === 'frustrated' || moods.start === 'bored')
      claims.push({ name: 'askBeginner', mood: moods.start });
  }
  if (pause?.kind === 'long') claims.push({ name: 'askReturn' });
  if (favouriteWeekday !== undefined) {
    claims.push({ name: 'askWeekday', weekday: favouriteWeekday });
  }
  if (claims.length < 2) {
    const open = ['askPicture', 'askNext', 'askFriend', 'askRename'] as const;
    claims.push(...open.map((name) => ({ name })));
  }
  return vary('question', claims);
}

function turned<T>(list: readonly T[], by: number): T[] {
  const from = by % Math.max(list.length, 1);
  return [...list.slice(from), ...list.slice(0, from)];
}
