/** A client that connects on first use. */

/** A failed connection rejects its callers; the next call tries again. */
export function connectOnce<T>(connect: () => Promise<T>): () => Promise<T> {
  let client: Promise<T> | undefined;
  return () =>
    (client ??= connect().catch((error: unknown) => {
      client = undefined;
      throw error;
    }));
}
