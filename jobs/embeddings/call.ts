/**
 * How an update of vectors is asked for: changes that follow one another are one update, and one that comes while it runs is
 * done after it.
 */
import type { DurableCallOptions } from '../framework/options.ts';
import { updateUserEmbeddings } from './task.ts';

/** Longest that changes without a pause put an update off, in debounces. */
const MOST_DEBOUNCES = 10;

/** @param userId external id. */
export function embeddingCall(
  userId: string,
  { embeddingDebounceMs: debounceMs }: { embeddingDebounceMs: number },
): { payload: { userIds: string[] }; options: DurableCallOptions } {
  return {
    payload: { userIds: [userId] },
    options: {
      userId,
      subject: userId,
      dedupeKey: `${updateUserEmbeddings.name}:${userId}`,
      debounceMs,
      maxWaitMs: MOST_DEBOUNCES * debounceMs,
    },
  };
}
