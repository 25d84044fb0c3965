/**
 * Practices of Emily, in English: one finished, one that has yet to start.
 */
import type { SeedPractice } from './practice.ts';
import { emily } from './users.ts';

const listening: SeedPractice = {
  externalId: '2c3e4e6b-ffd8-4773-a668-2aa82e3a05a0',
  owner: emily,
  title: 'One conversation a week where I only listen',
  action: 'Meet someone, ask one question, and give no advice',
  status: 'completed',
  privacy: 'public',
  startedDaysAgo: 35,
  durationDays: 28,
  frequency: [1, 2],
  sessionMinutes: 45,
  tags: ['communication', 'friendship'],
  progress: null,
  reflection:
    'I thought listening meant being quiet. It turned out to mean being less afraid of the pause.',
  checkIns: [
    {
      day: 2,
      at: '20:15',
      mood: 'frustrated',
      note: 'Coffee with Wei from the data team. I lasted about four minutes before I offered him a plan for his whole career. He smiled and changed the subject, and I noticed I had not asked him a single thing about what he wanted.',
    },
    {
      day: 9,
      at: '21:40',
      mood: 'neutral',
      note: 'Called my sister and put the phone on the table so that I could not multitask. There was a long silence after she mentioned the move, and I counted the tiles on the wall until she went on. What came after the silence was the real story.',
    },
    {
      day: 15,
      at: '19:05',
      mood: 'good',
      note: 'My landlady told me about the typhoon of the year she was born. My Mandarin missed half the words, so all I could do was watch her hands. I understood more from the hands than I usually do from a whole meeting in English.',
    },
    {
      day: 22,
      at: '22:30',
      mood: 'happy',
      note: 'Met Wei again and asked what had changed since last time. He talked for half an hour about teaching his daughter to ride a bike. I gave no advice at all, and when we got up he thanked me for the idea he had just had by himself.',
    },
    {
      day: 27,
      at: '20:50',
      mood: 'good',
      note: 'Last one: I asked a friend to listen to me instead. It was surprisingly hard to be on the other side, with nobody rushing in to fix things. Halfway through I heard myself say that I would like to stay in Taipei for longer than I had planned.',
    },
  ],
};

const ukulele: SeedPractice = {
  externalId: '6e154369-36c4-44fe-8f10-437f3fae3a68',
  owner: emily,
  title: 'Three chords on a second-hand ukulele',
  action: 'Play for ten minutes after dinner',
  status: 'not_started',
  privacy: 'public',
  startedDaysAgo: -3,
  durationDays: 30,
  frequency: [3, 5],
  sessionMinutes: 10,
  tags: ['music'],
  progress: null,
  reflection: null,
  checkIns: [],
};

export const emilyPractices: readonly SeedPractice[] = [listening, ukulele];
