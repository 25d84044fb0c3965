/**
 * The English wordings on the days of the check-ins.
 */
import type { RhythmClaims, Wordings } from './claims.ts';

export const WEEKDAY = [
  'Sundays',
  'Mondays',
  'Tuesdays',
  'Wednesdays',
  'Thursdays',
  'Fridays',
  'Saturdays',
];

export const RHYTHM: Wordings<RhythmClaims> = {
  presence: ({ days, durationDays, minutes }) => [
    `You checked in on ${days} of the ${count(durationDays)}${each(minutes)}.`,
    `It ran for ${count(durationDays)}, and you checked in on ${days} of them${each(minutes)}.`,
    `Of the ${count(durationDays)}, ${days} ${days === 1 ? 'has' : 'have'} a check-in of yours${each(minutes)}.`,
  ],
  presenceFull: ({ days, durationDays, minutes }) => [
    `The plan was for ${count(durationDays)}, and you checked in on ${days}${each(minutes)}.`,
  ],
  presenceWeekly: ({ days, durationDays, minutes }) => [
    `The idea was once a week; you checked in on ${days} of the ${count(durationDays)}${each(minutes)}.`,
    `It was meant as something for once a week, and of the ${count(durationDays)} there are ${days} on which you checked in${each(minutes)}.`,
  ],
  presenceBriefly: ({ days, durationDays, minutes }) => [
    `A few minutes at a time, ${minutes} by your plan: that is how you checked in on ${days} of the ${count(durationDays)}.`,
    `The plan was ${minutes} minutes at a time, small enough to fit anywhere, and you checked in on ${days} of the ${count(durationDays)}.`,
  ],
  presenceAtLength: ({ days, durationDays, minutes }) => [
    `Setting aside ${minutes} minutes takes some arranging; there are ${days} of the ${count(durationDays)} on which you checked in.`,
    `You had planned on ${minutes} minutes at a time, a good piece of a day, and checked in on ${days} of the ${count(durationDays)}.`,
  ],
  asPlanned: ({ daysPerWeek }) => [
    `Counted over the whole time, that makes ${weekly(daysPerWeek)}, just what you had planned.`,
    `You had thought of ${weekly(daysPerWeek)}, and counted over the whole time it came to just that.`,
  ],
  morePlanned: ({ daysPerWeek }) => [
    `Counted over the whole time, it came to more than ${daysPerWeek === 1 ? 'once a week' : `the ${daysPerWeek} days a week you had planned`}.`,
    `There turned out to be room for more than ${weekly(daysPerWeek)}.`,
  ],
  favouriteWeekday: ({ weekday }) => [
    `You came by on ${WEEKDAY[weekday]} more than on any other day of the week.`,
    `${WEEKDAY[weekday]} come up more than any other day; perhaps that is when the week leaves room.`,
  ],
  noFavouriteWeekday: () => [
    'No single day of the week stands out among your check-ins.',
    'Your check-ins favour no single day of the week.',
  ],
  pauseLong: ({ days }) => [
    `The longest quiet stretch was ${count(days)}, and then there is a check-in again: coming back belongs to your rhythm as well.`,
    `At its longest, ${count(days)} went by without a check-in; after that you picked it up again.`,
  ],
  pauseShort: ({ days }) => [
    `At most ${count(days)} lay between two check-ins, so the thread was never far away.`,
    `Between one check-in and the next there ${days === 1 ? 'was' : 'were'} ${count(days)} at most, a distance that suits the pace you had chosen.`,
  ],
  notesGrew: () => [
    'On the whole your later notes are longer than the early ones, as if there had come to be more to say.',
    'Taken together, the second half of your notes runs longer than the first.',
  ],
  notesVaried: ({ longDay, shortDay }) => [
    `On day ${longDay} you wrote a good deal more than on day ${shortDay}; both had a place here.`,
    `Your note of day ${longDay} is several times as long as the one of day ${shortDay}: some days simply ask for more words.`,
  ],
  notesEven: () => ['Your notes are all of about the same length.'],
  everyNote: () => [
    'Each check-in has a note with it.',
    'There is a note with every one of your check-ins.',
  ],
  wordless: () => [
    'Not every check-in has words with it; sometimes being there says enough.',
    'Some check-ins came without words, and they belong to the picture too.',
  ],
  action: ({ action }) => [
    `What you had set out to do was plain: “${action}”.`,
    `The way you had chosen was “${action}”.`,
    `In your own words, the plan was “${action}”.`,
  ],
  daysBetween: () => [
    'What the days in between were like, you know best.',
    'The days without a check-in had their part in it too, and only you know which.',
  ],
};

export function count(days: number): string {
  return days === 1 ? 'one day' : `${days} days`;
}

function weekly(days: number): string {
  return days === 1 ? 'once a week' : `${days} days a week`;
}

function each(minutes: number | undefined): string {
  return minutes === undefined ? '' : `, with ${minutes} minutes set aside each time`;
}
