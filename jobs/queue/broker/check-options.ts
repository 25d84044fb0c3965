/** Checks the options of the queue's classes when these are made. */
import { problemsOf, type Rule } from '../../../base/options/rules.ts';
import { QUEUE_NAME } from './keys.ts';
import { QueueError } from './errors.ts';

export const FUNCTION: Rule = [(value) => typeof value === 'function', 'a function'];

export const QUEUES: Rule = [
  (value) =>
    Array.isArray(value) &&
    value.every((name) => typeof name === 'string' && QUEUE_NAME.test(name)),
  'a list of queue names, each of 1 to 64 letters, digits, "_", "." or "-"',
];

/**
 * @param what the class, for the message.
 * @param needed options without a default.
 * @throws {QueueError} `OPTION_INVALID` with every problem found.
 */
export function assertOptions<T extends object>(
  what: string,
  options: T,
  rules: Record<keyof T, Rule>,
  needed: readonly (keyof T & string)[] = [],
): void {
  const missing = needed.filter((name) => options[name] === undefined);
  const problems = [
    ...missing.map((name) => `${name} is missing.`),
    ...problemsOf(options, rules, ''),
  ];
  if (problems.length === 0) return;
  throw new QueueError('OPTION_INVALID', `${what}: ${problems.join(' ')}`);
}
