/**
 * The English wordings of the coach.
 */
import type { Facts } from './facts.ts';
import type { Mood } from './moods.ts';
import { word, type Claim, type Wordings } from './claims.ts';
import { count, RHYTHM, WEEKDAY } from './en-rhythm.ts';
import { planOf } from './plan.ts';
import type { Quote } from './quotes.ts';

/** Completes "you felt". */
const MOOD: Record<Mood, string> = {
  give_up: 'ready to put it down',
  frustrated: 'frustrated',
  bored: 'a little bored',
  neutral: 'so-so',
  good: 'good',
  happy: 'happy',
};

export function writeEnglish(facts: Facts) {
  const { breakthrough, rhythm, insight } = planOf(facts);
  const paragraph = (claims: readonly Claim[]) =>
    word(claims, facts, WORDINGS)
      .map((sentence) => sentence.replace(/^./u, (letter) => letter.toUpperCase()))
      .join(' ');
  return {
    breakthrough: address(facts.nickname, paragraph(breakthrough)),
    rhythm: paragraph(rhythm),
    insight: paragraph(insight),
  };
}

const WORDINGS: Wordings = {
  ...RHYTHM,

  oneDay: ({ title }) => [
    `${called(title)} is here with a single day, and a single day can hold a good deal.`,
    `There is one day of ${called(title)} to look back on, and it is yours.`,
  ],
  fewDays: ({ title, days }) => [
    `${called(title)} was a matter of ${count(days)}, and each of them has its own place here.`,
    `It took ${count(days)} for ${called(title)} to become something you can look back on.`,
    `There are ${count(days)} in ${called(title)}, few enough to remember one by one.`,
  ],
  someDays: ({ title, days }) => [
    `Looking back over ${called(title)}, one finds ${count(days)} on which you made time for it.`,
    `${called(title)} began as an idea; by now it is something you have done on ${count(days)}.`,
    `${called(title)} left its mark on ${count(days)} of yours.`,
  ],
  manyDays: ({ title, days }) => [
    `${called(title)} has found its way into ${count(days)} of your life.`,
    `There are ${count(days)} now that have ${called(title)} in them.`,
    `Page after page, ${called(title)} runs through ${count(days)} of yours.`,
  ],
  weeksBehind: ({ title, days, weeks }) => [
    `${weeks} weeks of ${called(title)} lie behind you, with a check-in on ${count(days)}.`,
    `${called(title)} took ${weeks} weeks, and on ${count(days)} you made time for it.`,
  ],
  asLived: ({ title, days }) => [
    `That is ${called(title)} as you lived it, on ${count(days)} of your own.`,
    `All of this is part of ${called(title)}, an idea at first and now ${count(days)} you have lived through.`,
    `Put together, such moments make up ${called(title)}: ${count(days)}, and what stayed with you.`,
  ],

  moodUnmarked: () => [
    'You put no mood beside your check-ins, so whatever changed is to be found in the words.',
    'There is no mood marked anywhere; how it felt is for the sentences to say.',
  ],
  moodSingle: ({ mood }) => [
    `Once you marked your mood as well: you felt ${MOOD[mood]}.`,
    `There is one check-in with a mood beside it, and on that day you felt ${MOOD[mood]}.`,
  ],
  moodSame: ({ mood, usual }) =>
    usual
      ? [
          `Most of the time you felt ${MOOD[mood]}, near the beginning and near the end alike.`,
          `Where you marked your mood, it mostly says that you felt ${MOOD[mood]}, early and late.`,
        ]
      : [
          `You felt ${MOOD[mood]} near the beginning and again near the end; if something changed, your words know more about it than your mood.`,
          `Early and late there is a check-in where you felt ${MOOD[mood]}, and what lies between them is for your words to tell.`,
        ],
  moodLighter: ({ start, end }) => [
    `Early on you felt ${MOOD[start]}; towards the end you felt ${MOOD[end]}, and somewhere in between something eased.`,
    `Among your first check-ins is one where you felt ${MOOD[start]}, and among your last is one where you felt ${MOOD[end]}: it did grow lighter.`,
  ],
  moodLighterAfterLow: ({ start, end, once }) => [
    `It was no straight line: early on you felt ${MOOD[start]}, and ${once ? 'once' : 'along the way'} you were ready to put it down. Towards the end, though, you felt ${MOOD[end]}.`,
    `Towards the end you felt ${MOOD[end]}, and that says more when one knows that ${once ? 'there was a day when' : 'along the way'} you were ready to put it down.`,
  ],
  moodLighterStepwise: ({ start, end }) => [
    `No mood comes up twice in your check-ins: early on you felt ${MOOD[start]}, towards the end you felt ${MOOD[end]}, and there were other colours along the way.`,
    `Each time it felt different: ${MOOD[start]} early on, ${MOOD[end]} towards the end, and lighter on the whole.`,
  ],
  moodLighterForGood: ({ start, end }) => [
    `You felt ${MOOD[start]} once, early on, and did not mark it again; towards the end you felt ${MOOD[end]}.`,
    `Where you once felt ${MOOD[start]}, in the early days, you later felt ${MOOD[end]}.`,
  ],
  moodLighterMoreThanOnce: ({ start, end }) => [
    `You felt ${MOOD[start]} once, early on; you felt ${MOOD[end]} more than once, towards the end as well.`,
    `One early check-in says you felt ${MOOD[start]}. More than one says you felt ${MOOD[end]}, and the last stretch is lighter than the first.`,
  ],
  moodHeavier: ({ start, end }) => [
    `Near the beginning you felt ${MOOD[start]}; near the end it was heavier, and you felt ${MOOD[end]}. You marked it as it was.`,
    `Among the last check-ins is one where you felt ${MOOD[end]}, heavier than the beginning, and you recorded that too.`,
  ],
  moodBoth: ({ start, end }) => [
    `You felt ${MOOD[start]} near the beginning and ${MOOD[end]} near the end, and both belong here.`,
    `There is a day near the beginning when you felt ${MOOD[start]}, and one near the end when you felt ${MOOD[end]}.`,
  ],
  moodUsual: ({ mood }) => [
    `More often than not, you felt ${MOOD[mood]}.`,
    `Taken as a whole, you mostly felt ${MOOD[mood]}.`,
  ],

  discovered: ({ quote, day }) => [
    `On day ${day} something became clear to you: ${said(quote)}`,
    `Day ${day} brought a discovery, in your own words: ${said(quote)}`,
    `On day ${day} you found something out: ${said(quote)}`,
  ],
  wroteInMood: ({ quote, day, mood }) => [
    `On day ${day}, when you felt ${MOOD[mood]}, you wrote: ${said(quote)}`,
    `You felt ${MOOD[mood]} on day ${day}, and you found words for that day: ${said(quote)}`,
  ],
  wroteAtLength: ({ quote, day }) => [
    `On day ${day} you wrote at length, and one line of it reads: ${said(quote)}`,
    `Your note of day ${day} is a long one, and one line in it reads: ${said(quote)}`,
  ],
  wrote: ({ quote, day }) => [
    `On day ${day} you wrote: ${said(quote)}`,
    `Your note of day ${day} says: ${said(quote)}`,
  ],
  discoveredToo: ({ quote, day }) => [
    `What you found out on day ${day} deserves a second look: ${said(quote)}`,
    `And then there is day ${day}, when you saw something for yourself: ${said(quote)}`,
    `Of the things you came to see, the one of day ${day} may lead furthest: ${said(quote)}`,
    `Stay a moment longer with day ${day}, where you found this: ${said(quote)}`,
  ],
  wroteToo: ({ quote, day }) => [
    `One line to come back to is from day ${day}: ${said(quote)}`,
    `If a single line were to stay, it might be this one, from day ${day}: ${said(quote)}`,
    `There is more in what you wrote on day ${day} than it takes to read it: ${said(quote)}`,
  ],

  reflection: ({ quote }) => [
    `Looking back, you put it like this: ${said(quote)}`,
    `In your own summary it says: ${said(quote)}`,
    `Your reflection on it all reads: ${said(quote)}`,
  ],
  slogan: ({ slogan }) => [
    `It brings to mind the motto you chose for yourself: “${slogan}”.`,
    `Your motto is “${slogan}”; reading your notes, one thinks of it.`,
  ],
  tag: ({ tag }) => [
    `You filed all this under “${tag}”, and there may be more to find there.`,
    `The word you filed it under is “${tag}”; your notes say what it means to you.`,
  ],
  twoDays: ({ from, to }) => [
    `Put day ${from} and day ${to} side by side, and there may be more between the two than either of them says.`,
    `Between day ${from} and day ${to} lies a stretch of your own making; it may be worth reading the two notes one after the other.`,
  ],
  smallThings: () => [
    'What deserves another look may be the small things you mention in passing; they sometimes show what matters.',
  ],
  askDiscovery: () => [
    'What made it possible for you to see this, and where else in your life could that happen?',
    'Where else might the same thing be true?',
  ],
  askBeginner: ({ mood }) => [
    `If you met yourself on a day you felt ${MOOD[mood]}, what would you want to say?`,
    `What would you tell someone who is at the beginning and feels ${MOOD[mood]}?`,
  ],
  askLow: () => [
    'What would you say to yourself on the day you were ready to put it down?',
    'What would you like to remember the next time you are ready to put something down?',
  ],
  askReturn: () => ['What was it that brought you back after the quiet stretch?'],
  askWeekday: ({ weekday }) => [
    `What is it about ${WEEKDAY[weekday]} that left room for this?`,
    `What do ${WEEKDAY[weekday]} have that other days could borrow?`,
  ],
  askPicture: () => [
    'When you think back on these days, which picture would you like to come first?',
  ],
  askFriend: () => [
    'If a friend were to begin the same thing tomorrow, what would you tell them first?',
  ],
  askRename: () => ['If you were to give all this another name today, what would it be?'],
  askNext: () => ['If you took one thing from this into whatever comes next, which would it be?'],
};

function called(title: string | undefined): string {
  return title === undefined ? 'this practice' : `“${title}”`;
}

function said({ text }: Quote): string {
  return /[.!?…！？]$/u.test(text) ? `“${text}”` : `“${text}”.`;
}

function address(nickname: string | undefined, text: string): string {
  if (nickname === undefined) return text;
  return `${nickname}, ${text.replace(/^./u, (letter) => letter.toLowerCase())}`;
}
