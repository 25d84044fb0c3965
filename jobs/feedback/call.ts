/** Builds the feedback call: at most one unfinished task per practice and language, and so many a day per person. */
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import { AppError, type ErrorCode } from '../../base/errors.ts';
import type { Signature } from '../framework/signature.ts';
import type { Locale } from '../common/locale.ts';
import type { TaskSettings } from '../resources.ts';
import { checkEligibility } from './eligibility.ts';
import { inputHash } from './input-hash.ts';
import { generateAiFeedback } from './task.ts';

const DAY_MS = 86_400_000;

/**
 * @param locale language of the feedback; the owner prefers `material.owner.preferredLocale`.
 * @returns a call that is refused with `QUOTA_EXCEEDED` once its owner has had `feedbackPerDay` new texts within 24 hours.
 */
export function writeFeedbackOn(
  material: PracticeMaterial,
  locale: Locale,
  { feedbackPerDay }: Pick<TaskSettings, 'feedbackPerDay'>,
): Signature {
  const practiceId = material.practice.externalId;
  return generateAiFeedback.s(
    { practiceId, locale },
    {
      userId: material.practice.ownerId.toLowerCase(),
      subject: practiceId,
      dedupeKey: `${generateAiFeedback.name}:${practiceId}:${locale}`,
      inputHash: inputHash(material, locale),
      quota: { most: feedbackPerDay, withinMs: DAY_MS },
    },
  );
}

/** What keeps a practice from getting feedback without being an error of the service that asks for it. */
const REFUSALS: readonly ErrorCode[] = [
  'PRACTICE_NOT_COMPLETED',
  'FEEDBACK_NOT_ENOUGH_CONTENT',
  'QUOTA_EXCEEDED',
];

/**
 * Asks on behalf of the owner, who did not ask.
 * @param enqueue accepts the call.
 * @returns undefined if the practice has too little content or the owner has had enough for a day.
 */
export async function askForOwner<T>(
  material: PracticeMaterial,
  settings: TaskSettings,
  enqueue: (call: Signature) => Promise<T>,
): Promise<T | undefined> {
  try {
    checkEligibility(material, settings);
    return await enqueue(writeFeedbackOn(material, material.owner.preferredLocale, settings));
  } catch (error) {
    if (error instanceof AppError && REFUSALS.includes(error.code)) return undefined;
    throw error;
  }
}
