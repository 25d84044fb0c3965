/**
 * How an update of vectors is enqueued: changes that follow one another are one update, and one that comes while it runs is
 * done after it.
 */
import type { Signature } from '../framework/signature.ts';
import { updateUserEmbeddings } from './task.ts';

/** Longest that changes without a pause put an update off, in debounces. */
const MOST_DEBOUNCES = 10;

/** @param userId external id. */
export function updateVectorsOf(
  userId: string,
  { embeddingDebounceMs: debounceMs }: { embeddingDebounceMs: number },
): Signature {
  return updateUserEmbeddings.s(
    { userIds: [userId] },
    {
      userId,
      subject: userId,
      dedupeKey: `${updateUserEmbeddings.name}:${userId}`,
      debounceMs,
      maxWaitMs: MOST_DEBOUNCES * debounceMs,
    },
  );
}
