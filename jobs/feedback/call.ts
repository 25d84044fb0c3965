/**
 * How feedback is asked for: one unfinished task for each practice and language.
 */
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import type { DurableCallOptions } from '../framework/options.ts';
import { generateAiFeedback } from './task.ts';
import { inputHash } from './input-hash.ts';
import type { Locale } from '../locale.ts';

/** @param locale default: what the owner prefers. */
export function feedbackCall(
  material: PracticeMaterial,
  locale: Locale = material.owner.preferredLocale,
): { payload: { practiceId: string; locale: Locale }; options: DurableCallOptions } {
  const practiceId = material.practice.externalId;
  return {
    payload: { practiceId, locale },
    options: {
      userId: material.practice.ownerId.toLowerCase(),
      subject: practiceId,
      dedupeKey: `${generateAiFeedback.name}:${practiceId}:${locale}`,
      inputHash: inputHash(material, locale),
    },
  };
}
