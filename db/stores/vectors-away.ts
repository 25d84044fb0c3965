/**
 * What an error of the vector store means, in a file that does not load its client.
 */
const BUSY = 429;

/** Whether an error means that the vector store is away or busy, so that the same call may succeed later. */
export function isVectorsAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // The client's error for an answer, which has no name of its own.
  if ('statusText' in error && 'status' in error && typeof error.status === 'number') {
    return error.status >= 500 || error.status === BUSY;
  }
  return error.name.startsWith('QdrantClient') || error.message === 'fetch failed';
}
