/**
 * How a practice of the seed is written down: days count from its start, times are those of a clock in Taipei.
 */
import type { Mood, PracticeState } from '../daodao/practices.ts';
import type { SeedUser } from './users.ts';

export interface SeedCheckIn {
  /** 0 for the first day of the practice. */
  day: number;
  /** `HH:MM` or `HH:MM:SS`. Default 21:00. */
  at?: string;
  mood: Mood | null;
  note: string | null;
}

export interface SeedPractice {
  externalId: string;
  owner: SeedUser;
  title: string;
  action: string;
  status: PracticeState;
  privacy: 'private' | 'public' | 'delayed';
  /** Days from the start to today; negative when it has yet to start. */
  startedDaysAgo: number;
  durationDays: number;
  /** Fewest and most days a week. */
  frequency: [min: number, max: number];
  sessionMinutes: number;
  tags: string[];
  /** In percent; null leaves it to be worked out from the check-ins. */
  progress: number | null;
  reflection: string | null;
  /** What the owner wrote in place of the generated insight. */
  ownInsight?: string;
  checkIns: SeedCheckIn[];
}
