/** Postgres reads of the routes. Only its owner may read a practice. */
import { findOwner } from '../../db/daodao/practices.ts';
import { findFeedback, type Feedback } from '../../db/daodao/feedback.ts';
import { shareQueries } from '../../db/stores/group.ts';
import type { Queryable } from '../../db/stores/postgres.ts';
import { findPracticeMaterials, type PracticeMaterial } from '../../db/daodao/practices.ts';
import { AppError } from '../../base/errors.ts';

export interface Readers {
  /** External id in lower case; also of a deleted practice. */
  practiceOwner(practiceId: string): Promise<string | undefined>;
  practiceMaterial(practiceId: string): Promise<PracticeMaterial | undefined>;
  /** The newest feedback of a practice. Default: in any locale. */
  feedback(practiceId: string, locale?: string): Promise<Feedback | undefined>;
}

/** Most practices of one query, each with its check-ins, and most queries at a time: few, so that most queries are shared. */
const TOGETHER = { most: 10, atOnce: 2 };

export function postgresReaders(db: Queryable): Readers {
  const materials = shareQueries(
    (ids: readonly string[]) => findPracticeMaterials(db, ids),
    TOGETHER,
  );
  return {
    practiceOwner: (practiceId) => findOwner(db, practiceId),
    practiceMaterial: (practiceId) => materials.add(practiceId),
    feedback: (practiceId, locale) => findFeedback(db, practiceId, locale),
  };
}

/** @throws {AppError} `PRACTICE_NOT_FOUND`, also for a practice of another user, so as not to reveal that it exists. */
export async function readOwnPractice(
  readers: Readers,
  practiceId: string,
  userId: string,
): Promise<PracticeMaterial> {
  const material = await readers.practiceMaterial(practiceId);
  if (material?.practice.ownerId.toLowerCase() !== userId) throw new AppError('PRACTICE_NOT_FOUND');
  return material;
}
