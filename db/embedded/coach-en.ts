/**
 * What the coach says in English.
 */
import { fragmentOf, type Facts, type Mood } from './coach-facts.ts';

const MOOD: Record<Mood, string> = {
  give_up: 'ready to put it down',
  frustrated: 'frustrated',
  bored: 'a little bored',
  neutral: 'calm',
  good: 'good',
  happy: 'happy',
};

const WEEKDAY = [
  'Sundays',
  'Mondays',
  'Tuesdays',
  'Wednesdays',
  'Thursdays',
  'Fridays',
  'Saturdays',
];

/** The three paragraphs. */
export function writeEnglish(facts: Facts) {
  return {
    breakthrough: [opening(facts), moodChange(facts), firstQuote(facts)].join(' '),
    rhythm: [presence(facts), pause(facts), growth(facts)].join(' '),
    insight: [secondQuote(facts), reach(facts), question(facts)].join(' '),
  };
}

function name({ title }: Facts): string {
  return title === undefined ? 'this practice' : `“${title}”`;
}

function opening(facts: Facts): string {
  const { nickname, days, checkIns, vary } = facts;
  const call = nickname === undefined ? '' : `${nickname}, `;
  const text = vary('opening', [
    `looking back over ${name(facts)}, you left something of yourself on ${days} different days, and each of them was really lived.`,
    `between your first note and your last, ${name(facts)} turned from an idea into part of your life, ${checkIns} check-ins deep.`,
    `${name(facts)} is more than a plan now: over ${days} days you made it an experience of your own.`,
    `reading through your ${checkIns} check-ins for ${name(facts)}, one can see a person finding their own way, a little at a time.`,
  ]);
  return call === '' ? text.replace(/^./u, (letter) => letter.toUpperCase()) : call + text;
}

function moodChange({ moodAtStart, moodAtEnd, moodTrend, vary }: Facts): string {
  if (moodAtStart === undefined || moodAtEnd === undefined) {
    return 'You seldom put a label on your mood, so the change lives quietly between the lines.';
  }
  const [start, end] = [MOOD[moodAtStart], MOOD[moodAtEnd]];
  if (moodTrend === 'lighter' && start !== end) {
    return vary('mood', [
      `At first you often felt ${start}; later on you were more often ${end}. That shift did not come overnight, it grew out of one small attempt after another.`,
      `The early days often left you ${start}, and the later ones more often ${end}, as if you and this practice had grown easier with each other.`,
    ]);
  }
  if (moodTrend === 'heavier') {
    return vary('mood', [
      `Later on you felt ${end} more often, and you wrote that down as it was instead of hiding it. That honesty is movement too.`,
      `The later days were heavier, more often ${end}, and still you sat down to write a few lines that were true.`,
    ]);
  }
  if (start !== end) {
    return `Your mood moved between ${start} and ${end}; you did not hurry it, you walked along with it.`;
  }
  return vary('mood', [
    `From beginning to end you mostly felt ${end}, which suggests you found a comfortable place for it.`,
    `Your mood mostly stayed ${end}; the change made no noise, it simply moved into your days.`,
  ]);
}

function firstQuote({ notes, vary }: Facts): string {
  const note = notes[0];
  const fragment = note && fragmentOf(note.text);
  if (note === undefined || fragment === undefined) {
    return 'Put side by side, these small things add up to a change you can see.';
  }
  return vary('first', [
    `On day ${note.day} you wrote “${fragment}”, a sentence only someone who was really there could write.`,
    `Your line from day ${note.day}, “${fragment}”, is closer to that day than any summary.`,
    `On day ${note.day} there is “${fragment}”: you were paying attention to something that is easy to miss.`,
  ]);
}

function presence({ durationDays, days, sessionMinutes, favouriteWeekday, vary }: Facts): string {
  const minutes = sessionMinutes === undefined ? '' : `, about ${sessionMinutes} minutes at a time`;
  const span = vary('span', [
    `Across ${durationDays} days you turned up on ${days} of them${minutes}.`,
    `You made room for this on ${days} of ${durationDays} days${minutes}.`,
  ]);
  const weekday =
    favouriteWeekday === undefined
      ? 'You did not tie yourself to a particular day, but found a place for it in the gaps of your week.'
      : `${WEEKDAY[favouriteWeekday]} saw you most, perhaps the time that suits you best.`;
  return `${span} ${weekday}`;
}

function pause({ longestPauseDays, vary }: Facts): string {
  if (longestPauseDays >= 3) {
    return vary('pause', [
      `Once ${longestPauseDays} days went by, and then you came back as a matter of course; picking things up again belongs to your rhythm as well.`,
      `There was a quiet stretch of ${longestPauseDays} days, and the note you wrote on your return is as careful as any other.`,
    ]);
  }
  return vary('pause', [
    'The gaps were mostly short, as if you had left a chair out for yourself.',
    'There was rarely much time in between, and so the days quietly joined into a line.',
  ]);
}

function growth({ notesGrew, vary }: Facts): string {
  return notesGrew
    ? vary('growth', [
        'Your notes grew longer and finer too, and you seem more and more willing to stop and listen to yourself.',
        'The later the day, the more you wrote, with an eye for smaller and smaller things.',
      ])
    : vary('growth', [
        'Your notes stayed much the same length, and that evenness is a pace of your own.',
        'Some notes are long and some only a few words, so every version of you had room to speak.',
      ]);
}

function secondQuote({ notes, vary }: Facts): string {
  const note = notes[1] ?? notes[0];
  const fragment = note && fragmentOf(note.text);
  if (note === undefined || fragment === undefined) {
    return 'What deserves another look are the small things you wrote as if they went without saying; they tend to show what matters to you.';
  }
  return vary('second', [
    `What deserves another look is something you said on day ${note.day}: “${fragment}”.`,
    `There is one line to read again, from day ${note.day}: “${fragment}”.`,
    `On day ${note.day} you mentioned, almost in passing, “${fragment}”, and there is a good deal in it.`,
  ]);
}

function reach(facts: Facts): string {
  const { field, tags, slogan, vary } = facts;
  if (field !== undefined) {
    return vary('reach', [
      `It may not belong to ${name(facts)} alone; it could travel into your days in ${field} as well.`,
      `You may have met moments like it in ${field}, and the two could shed light on each other.`,
    ]);
  }
  if (slogan !== undefined)
    return `You once said “${slogan}”, and these notes read like a footnote to it.`;
  if (tags[0] !== undefined)
    return `It is tied to ${tags[0]}, which you care about, and there may be another layer below.`;
  return 'It does not end with this practice; it is part of you by now.';
}

function question({ vary }: Facts): string {
  return vary('question', [
    'If you took this with you on the next journey, where would you use it first?',
    'If you met yourself on the first day, what would you want to say?',
    'What made it possible for you to see this, and where else in your life could that happen?',
    'When you think back on these days, which picture would you like to come first?',
  ]);
}
