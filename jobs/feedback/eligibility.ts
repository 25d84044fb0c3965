/**
 * Which practices get feedback.
 */
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import { AppError } from '../../base/errors.ts';
import type { TaskSettings } from '../resources.ts';
import { noteLength } from './notes.ts';

/** Progress in per cent: the stored one, else the distinct days checked in on, of the days the plan asks for. */
export function progress({ practice, checkIns }: PracticeMaterial): number {
  if (practice.progressPercentage !== null) return Math.min(practice.progressPercentage, 100);
  const days = new Set(checkIns.map((checkIn) => checkIn.date)).size;
  const planned = Math.max(Math.ceil((practice.durationDays * practice.frequencyMinDays) / 7), 1);
  return Math.min((100 * days) / planned, 100);
}

/** Average length of the notes that are not blank, as `noteLength` counts; 0 when there is none. */
export function averageNoteLength({ checkIns }: PracticeMaterial): number {
  const notes = checkIns.map(({ note }) => note?.trim() ?? '').filter((note) => note !== '');
  const total = notes.reduce((sum, note) => sum + noteLength(note), 0);
  return notes.length === 0 ? 0 : total / notes.length;
}

/**
 * @throws {AppError} `PRACTICE_NOT_COMPLETED`, or `FEEDBACK_NOT_ENOUGH_CONTENT` whose details say what is short:
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

/** Rounded down to a tenth for show, so that a value just below the limit never reads as having met it. */
function shortfall(name: string, actual: number, required: number): Record<string, object> {
  if (actual >= required) return {};
  return { [name]: { actual: Math.floor(actual * 10) / 10, required } };
}
