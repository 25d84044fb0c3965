/**
 * Ends threads. A thread in a synchronous native call, such as `crypto.pbkdf2Sync`, ends only when the call returns; until then
 * `process.exit` does not return either.
 */
import type { Worker } from 'node:worker_threads';

/** How long a thread may take to end, in milliseconds. */
export const END_GRACE_MS = 5000;

export class Endings {
  readonly #ending = new Set<Worker>();

  /** Whether a thread that was told to end still runs. */
  get isWaiting(): boolean {
    return this.#ending.size > 0;
  }

  /** Resolves to whether the thread ended within the grace period. */
  async end(worker: Worker): Promise<boolean> {
    this.#ending.add(worker);
    return new Promise((resolve) => {
      const grace = setTimeout(() => resolve(false), END_GRACE_MS);
      void worker.terminate().then(() => {
        clearTimeout(grace);
        this.#ending.delete(worker);
        resolve(true);
      });
    });
  }
}
