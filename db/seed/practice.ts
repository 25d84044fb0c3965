/**
 * The form of a seed practice. Days count from its start; times are Taipei time.
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
  /** Negative if the practice has yet to start. */
  startedDaysAgo: number;
  durationDays: number;
  /** Days per week. */
  frequency: [min: number, max: number];
  sessionMinutes: number;
  tags: string[];
  /** In percent; null derives it from the check-ins. */
  progress: number | null;
  reflection: string | null;
  /** The owner's text in place of the generated insight. */
  ownInsight?: string;
  checkIns: SeedCheckIn[];
}
