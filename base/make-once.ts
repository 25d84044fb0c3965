/** What is made on first use, once for all who ask meanwhile: a client, or a value that costs much and changes little. */

/**
 * A failure rejects those who wait for it; the next call tries again.
 * @param keepMs how long a value is kept, in milliseconds from when it is ready. Default: for good.
 */
export function makeOnce<T>(make: () => Promise<T>, keepMs?: number): () => Promise<T> {
  let made: Promise<T> | undefined;
  const drop = (): void => {
    made = undefined;
  };
  const keep = (): void => {
    if (keepMs !== undefined) setTimeout(drop, keepMs).unref();
  };
  return () => {
    if (made === undefined) {
      made = make();
      made.then(keep, drop);
    }
    return made;
  };
}
