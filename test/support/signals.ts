/**
 * Things that happened, and waiting for one of them.
 */
import { HANG_MS } from './patience.ts';

export class Signals<T> {
  readonly seen: T[] = [];
  readonly #looks = new Set<() => void>();

  note(signal: T): void {
    this.seen.push(signal);
    for (const look of this.#looks) look();
  }

  /** Resolves with the first signal, past ones included, that fits. @throws when none comes. */
  first(fits: (signal: T) => boolean): Promise<T> {
    return this.until(() => this.seen.find(fits));
  }

  /** Resolves once so many signals fit. */
  async count(wanted: number, fits: (signal: T) => boolean): Promise<void> {
    await this.until(() => (this.seen.filter(fits).length >= wanted ? true : undefined));
  }

  /** Looks now and after every signal until something is there. */
  until<R>(look: () => R | undefined): Promise<R> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#looks.delete(check);
        reject(new Error(`It never came. Seen: ${JSON.stringify(this.seen).slice(0, 4000)}`));
      }, HANG_MS);
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#looks.delete(check);
        resolve(found);
      };
      this.#looks.add(check);
      check();
    });
  }
}
