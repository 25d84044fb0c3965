/** What a new user gets: vectors, and then recommendations from them. */
import { updateUserEmbeddings } from '../../jobs/embeddings/task.ts';
import { chain } from '../../jobs/framework/canvas/combinators.ts';
import type { Composite } from '../../jobs/framework/canvas/composition.ts';
import type { GraphOptions } from '../../jobs/framework/canvas/to-request.ts';
import { refreshRecommendationCache } from '../../jobs/recommendations/task.ts';

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
