/**
 * Counts up, and tells those who wait for a number. One failure is told to all of them: nobody waits for ever.
 */
export class Tally {
  #count = 0;
  #failure: Error | undefined;
  #waiting: { count: number; resolve(): void; reject(error: Error): void }[] = [];

  add(): void {
    this.#count++;
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      if (this.#waiting[i]!.count > this.#count) continue;
      this.#waiting.splice(i, 1)[0]!.resolve();
    }
  }

  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }

  reached(count: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#count >= count) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ count, resolve, reject }));
  }
}
