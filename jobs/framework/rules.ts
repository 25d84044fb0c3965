/**
 * Options of tasks and of calls: what each may be, and what is said of one that is not.
 */
import { didYouMean } from '../../base/closest.ts';

/** Whether a value will do, and what would. */
export type Rule = readonly [fits: (value: unknown) => boolean, wanted: string];

export const wholeFrom = (min: number, max = Number.MAX_SAFE_INTEGER): Rule => [
  (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
  max === Number.MAX_SAFE_INTEGER
    ? `a whole number, ${min} or more`
    : `a whole number from ${min} to ${max}`,
];

/** Options that are unknown or do not fit; an option that is `undefined` is not given. */
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
