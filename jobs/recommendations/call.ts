/** Builds the refresh call for one user; a request during a refresh triggers another one afterwards. */
import type { Signature } from '../framework/signature.ts';
import { refreshRecommendationCache } from './task.ts';

/** @param userId external id. */
export function refreshCardsOf(userId: string): Signature {
  return refreshRecommendationCache.s(
    { userId },
    {
      userId,
      subject: userId,
      dedupeKey: `${refreshRecommendationCache.name}:${userId}`,
      trailing: true,
    },
  );
}
