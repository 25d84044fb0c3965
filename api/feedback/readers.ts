/** What the routes read from Postgres, and the rule that one sees only what is one's own. */
import { findOwner } from '../../db/daodao/practices.ts';
import { findFeedback, type Feedback } from '../../db/daodao/feedback.ts';
import type { Queryable } from '../../db/stores/postgres.ts';
import { findPracticeMaterial, type PracticeMaterial } from '../../db/daodao/practices.ts';
import { AppError } from '../../base/errors.ts';

export interface Readers {
  /** External id of the owner, in lower case, of a practice deleted or not. */
  practiceOwner(practiceId: string): Promise<string | undefined>;
  practiceMaterial(practiceId: string): Promise<PracticeMaterial | undefined>;
  /** The newest feedback of a practice, in a locale or in any. */
  feedback(practiceId: string, locale?: string): Promise<Feedback | undefined>;
}

export function postgresReaders(db: Queryable): Readers {
  return {
    practiceOwner: (practiceId) => findOwner(db, practiceId),
    practiceMaterial: (practiceId) => findPracticeMaterial(db, practiceId),
    feedback: (practiceId, locale) => findFeedback(db, practiceId, locale),
  };
}

/**
 * A practice with its material, for its owner.
 * @throws {AppError} `PRACTICE_NOT_FOUND`, also for somebody else's: whether it exists is not theirs to know.
 */
export async function readOwnPractice(
  readers: Readers,
  practiceId: string,
  userId: string,
): Promise<PracticeMaterial> {
  const material = await readers.practiceMaterial(practiceId);
  if (material?.practice.ownerId.toLowerCase() !== userId) throw new AppError('PRACTICE_NOT_FOUND');
  return material;
}
