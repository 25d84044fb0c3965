/** What a new user gets: vectors, and then recommendations from them. */
import { updateUserEmbeddings } from '../embeddings/task.ts';
import { chain } from '../framework/canvas/combinators.ts';
import type { Composite } from '../framework/canvas/composition.ts';
import type { GraphOptions } from '../framework/canvas/to-request.ts';
import { refreshRecommendationCache } from './task.ts';

/** @param userId external id. */
export function welcomeOf(userId: string): { work: Composite; options: GraphOptions } {
  const about = { userId, subject: userId };
  return {
    work: chain(
      updateUserEmbeddings.s({ userIds: [userId] }, about),
      refreshRecommendationCache.s({ userId }, about),
    ),
    options: { userId, dedupeKey: `welcome:${userId}` },
  };
}
