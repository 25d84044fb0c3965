/** Decides which practices are eligible for feedback. */
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import { AppError } from '../../base/errors.ts';
import type { TaskSettings } from '../resources.ts';
import { noteLength } from './notes.ts';

/** Progress in per cent: the stored value, else the distinct check-in days as a share of the planned days. */
export function progress({ practice, checkIns }: PracticeMaterial): number {
  if (practice.progressPercentage !== null) return Math.min(practice.progressPercentage, 100);
  const days = new Set(checkIns.map((checkIn) => checkIn.date)).size;
  const planned = Math.max(Math.ceil((practice.durationDays * practice.frequencyMinDays) / 7), 1);
  return Math.min((100 * days) / planned, 100);
}

/** Average `noteLength` of the notes that are not blank; 0 without any. */
export function averageNoteLength({ checkIns }: PracticeMaterial): number {
  const notes = checkIns.map(({ note }) => note?.trim() ?? '').filter((note) => note !== '');
  const total = notes.reduce((sum, note) => sum + noteLength(note), 0);
  return notes.length === 0 ? 0 : total / notes.length;
}

/**
 * @throws {AppError} `PRACTICE_NOT_COMPLETED`, or `FEEDBACK_NOT_ENOUGH_CONTENT` with details of each shortfall:
 * `{ progress?: { actual, required }, average_note_length?: { actual, required } }`.
 */
export function checkEligibility(material: PracticeMaterial, settings: TaskSettings): void {
  const { status } = material.practice;
  if (status !== 'completed' && status !== 'archived') {
    throw new AppError('PRACTICE_NOT_COMPLETED', { details: { status } });
  }
  const details = {
    ...shortfall('progress', progress(material), settings.feedbackMinProgress),
    ...shortfall(
      'average_note_length',
      averageNoteLength(material),
      settings.feedbackMinNoteLength,
    ),
  };
  if (Object.keys(details).length > 0) {
    throw new AppError('FEEDBACK_NOT_ENOUGH_CONTENT', { details });
  }
}

/** Rounds down to a tenth, so that a value just below the limit is never displayed as equal to it. */
function shortfall(name: string, actual: number, required: number): Record<string, object> {
  if (actual >= required) return {};
  return { [name]: { actual: Math.floor(actual * 10) / 10, required } };
}
