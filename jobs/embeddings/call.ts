/** Builds the embedding call: debounces successive changes; a change during an update triggers another one afterwards. */
import type { Signature } from '../framework/signature.ts';
import { updateUserEmbeddings } from './task.ts';

/** Longest total delay by successive changes, in debounce intervals. */
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
