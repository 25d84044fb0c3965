/** Random choices. */
import { chance as numbersOf } from '../experiment.ts';

export interface Chance {
  integer(below: number): number;
  isIn100(share: number): boolean;
  pick<const T>(items: readonly T[]): T;
  /** Removes some of the items, at least one if there are any. */
  take<T>(items: T[], most: number): T[];
}

export function choices(seed: number): Chance {
  const { integer } = numbersOf(seed);
  return {
    integer,
    isIn100: (share) => integer(100) < share,
    pick: (items) => items[integer(items.length)]!,
    take(items, most) {
      const count = Math.min(items.length, 1 + integer(most));
      return Array.from({ length: count }, () => items.splice(integer(items.length), 1)[0]!);
    },
  };
}
