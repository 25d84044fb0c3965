/** Validation rules for options. */
import { didYouMean } from './closest.ts';

/** A predicate, and the end of the sentence "must be …". */
export type Rule = readonly [fits: (value: unknown) => boolean, wanted: string];

export const wholeFrom = (min: number, max = Number.MAX_SAFE_INTEGER): Rule => [
  (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
  max === Number.MAX_SAFE_INTEGER
    ? `a whole number, ${min} or more`
    : `a whole number from ${min} to ${max}`,
];

/** @returns a sentence for each unknown or invalid option; ignores options that are `undefined`. */
export function problemsOf(
  options: object,
  rules: Record<string, Rule>,
  prefix: string,
  others: readonly string[] = [],
): string[] {
  const known = [...Object.keys(rules), ...others];
  return Object.entries(options).flatMap(([option, value]) => {
    if (others.includes(option) || value === undefined) return [];
    const rule = Object.hasOwn(rules, option) ? rules[option] : undefined;
    if (rule === undefined)
      return [`${prefix}${option} is not an option.${didYouMean(option, known)}`];
    const [fits, wanted] = rule;
    return fits(value) ? [] : [`${prefix}${option} must be ${wanted}.`];
  });
}
