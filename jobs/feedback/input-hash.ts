/**
 * One digest of everything a feedback text depends on.
 */
import { createHash } from 'node:crypto';
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import type { Locale } from '../locale.ts';
import { PROMPT_VERSION } from './prompt.ts';

/**
 * Hash of practice, check-ins, prompt version and locale. A finished task with the same one is the answer to asking
 * again. The owner's profile is left out, though the prompt has it: a new nickname is no reason for a new text.
 */
export function inputHash({ practice, checkIns }: PracticeMaterial, locale: Locale): string {
  const facts = [
    PROMPT_VERSION,
    locale,
    practice.externalId,
    practice.title,
    practice.practiceAction,
    practice.startDate,
    practice.durationDays,
    practice.frequencyMinDays,
    practice.sessionDurationMinutes,
    practice.tags,
    practice.reflection,
    checkIns.map(({ id, date, mood, note }) => [id, date, mood, note]),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
