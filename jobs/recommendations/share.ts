/** Keeps every fifth place of a list for what the signals did not choose: no activity, bought or honest, fills a whole list. */
import { createHash } from 'node:crypto';

/** One place in this many. */
export const SHARE = 5;

/**
 * Puts every fifth place to what a draw yields from `others` and from what is ranked too low for the other places.
 * @param ranked best first.
 * @param others what the signals know nothing of; none of it is in `ranked`.
 * @param most longest list.
 * @param seed decides the draw: the same seed and input give the same list.
 */
export function keepShare<T extends { id: string }>(
  ranked: readonly T[],
  others: readonly T[],
  most: number,
  seed: string,
): T[] {
  const fitting = Math.min(others.length, Math.floor(ranked.length / (SHARE - 1)));
  const length = Math.min(most, ranked.length + fitting);
  const chosen = ranked.slice(0, length - Math.floor(length / SHARE));
  const drawn = draw([...ranked.slice(chosen.length), ...others], seed);
  return Array.from({ length }, (_, place) => {
    const drawnBefore = Math.floor(place / SHARE);
    const isKept = place % SHARE === SHARE - 1;
    return isKept ? drawn[drawnBefore]! : chosen[place - drawnBefore]!;
  });
}

/** Shuffles by a digest of seed and id. */
function draw<T extends { id: string }>(items: readonly T[], seed: string): T[] {
  const keyed = items.map((item) => {
    const key = createHash('sha256').update(`${seed}:${item.id}`).digest('hex');
    return { item, key };
  });
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}
