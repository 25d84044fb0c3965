/** A number with its noun, for messages. */

/** `3 jobs`, `1 job`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
