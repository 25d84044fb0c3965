/** Builds the feedback call: at most one unfinished task per practice and language. */
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import type { Signature } from '../framework/signature.ts';
import type { Locale } from '../common/locale.ts';
import { inputHash } from './input-hash.ts';
import { generateAiFeedback } from './task.ts';

/** @param locale language of the feedback; the owner prefers `material.owner.preferredLocale`. */
export function writeFeedbackOn(material: PracticeMaterial, locale: Locale): Signature {
  const practiceId = material.practice.externalId;
  return generateAiFeedback.s(
    { practiceId, locale },
    {
      userId: material.practice.ownerId.toLowerCase(),
      subject: practiceId,
      dedupeKey: `${generateAiFeedback.name}:${practiceId}:${locale}`,
      inputHash: inputHash(material, locale),
    },
  );
}
