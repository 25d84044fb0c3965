/**
 * How a refresh for one person is enqueued: one that comes while another runs is done after it.
 */
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
