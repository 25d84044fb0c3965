/**
 * A client that is made when it is first used, and then kept.
 */

/** @returns what connects at the first call. A failure is told to who asked and forgotten: the next call tries again. */
export function connectOnce<T>(connect: () => Promise<T>): () => Promise<T> {
  let client: Promise<T> | undefined;
  return () =>
    (client ??= connect().catch((error: unknown) => {
      client = undefined;
      throw error;
    }));
}
