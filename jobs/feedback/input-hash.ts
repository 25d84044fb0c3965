/** Digest of the inputs of a feedback text. */
import { createHash } from 'node:crypto';
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import type { Locale } from '../common/locale.ts';
import { PROMPT_VERSION } from './prompt.ts';

/**
 * Hash of practice, check-ins, prompt version and locale; a request with the hash of a finished task gets that task. Excludes the
 * owner's profile, although the prompt includes it: a new nickname does not warrant a new text.
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
