/** Task policy: queue, retries, time limits and priority. Validated when the task is defined. */
import { problemsOf, wholeFrom, type Rule } from '../../base/options/rules.ts';
import { isInstance, propertyOf } from '../../base/thrown.ts';

export interface Backoff {
  /** Delay before the first retry, in milliseconds. Default 1,000. */
  delayMs: number;
  /** Multiplier between one delay and the next; 1 keeps the delay constant. Default 2. */
  factor: number;
  /** Longest delay, in milliseconds. Default 600,000. */
  maxMs: number;
  /** `full`: random from 0 to the delay; `equal`: random from half of it; `none`: exactly the delay. Default `full`. */
  jitter: 'full' | 'equal' | 'none';
}

/** Matches errors by class, by `code` or by `name`. */
export type ErrorMatch = string | (abstract new (...args: never[]) => Error);

export interface Policy {
  /** Default `default`. */
  queue: string;
  /** Retries after the first attempt. Default 3. */
  maxRetries: number;
  backoff: Backoff;
  /** Retryable errors. Default: all. */
  retryOn: readonly ErrorMatch[] | undefined;
  /** Errors that are never retried; takes precedence over `retryOn`. Default: none. */
  neverRetryOn: readonly ErrorMatch[];
  /** Latest time for a retry, in milliseconds after the last request for the task. Default: unlimited. */
  retryForMs: number | undefined;
  /** Aborts `ctx.signal`, in milliseconds after the start. Default: never. */
  softTimeLimitMs: number | undefined;
  /** Terminates the thread, in milliseconds after the start. Default 600,000. */
  timeLimitMs: number;
  /** 0 to 9, 9 first. Default 5. */
  priority: number;
  /** Whether the task gets a thread to itself, for CPU-heavy or untrusted work. Default false. */
  isolated: boolean;
}

/** The policy options of a task definition; omitted ones take the defaults. */
export type PolicyOptions = {
  [K in keyof Policy]?: (K extends 'backoff' ? Partial<Backoff> : Policy[K]) | undefined;
};

const DEFAULT_BACKOFF: Backoff = { delayMs: 1000, factor: 2, maxMs: 600_000, jitter: 'full' };

const DEFAULTS: Policy = {
  queue: 'default',
  maxRetries: 3,
  backoff: DEFAULT_BACKOFF,
  retryOn: undefined,
  neverRetryOn: [],
  retryForMs: undefined,
  softTimeLimitMs: undefined,
  timeLimitMs: 600_000,
  priority: 5,
  isolated: false,
};

/** Lists every problem of a task definition, one sentence each. */
export class TaskDefinitionError extends Error {
  readonly problems: readonly string[];
  constructor(task: string, problems: readonly string[]) {
    const lines = problems.map((problem) => `  - ${problem}`);
    super([`The definition of task ${task} is not usable:`, ...lines].join('\n'));
    this.name = 'TaskDefinitionError';
    this.problems = problems;
  }
}

const ERROR_MATCHES: Rule = [
  (value) =>
    Array.isArray(value) &&
    value.every((match) => typeof match === 'string' || typeof match === 'function'),
  'a list of error classes, codes or names',
];

const POLICY_RULES: Record<keyof Policy, Rule> = {
  queue: [
    (value) => typeof value === 'string' && /^[\w.-]{1,64}$/.test(value),
    '1 to 64 letters, digits, "_", "." or "-"',
  ],
  maxRetries: wholeFrom(0),
  backoff: [(value) => typeof value === 'object' && value !== null, 'an object'],
  retryOn: ERROR_MATCHES,
  neverRetryOn: ERROR_MATCHES,
  retryForMs: wholeFrom(1),
  softTimeLimitMs: wholeFrom(1),
  timeLimitMs: wholeFrom(1),
  priority: wholeFrom(0, 9),
  isolated: [(value) => typeof value === 'boolean', 'true or false'],
};

const BACKOFF_RULES: Record<keyof Backoff, Rule> = {
  delayMs: wholeFrom(0),
  factor: [(value) => typeof value === 'number' && value >= 1 && value < Infinity, '1 or more'],
  maxMs: wholeFrom(0),
  jitter: [(value) => ['full', 'equal', 'none'].includes(String(value)), 'full, equal or none'],
};

/** Properties of a definition that are not policy options. */
const FACTS = ['name', 'durable', 'payload', 'result', 'run', 's', 'si'];

/** Completes a definition's policy with the defaults. @throws {TaskDefinitionError} with every problem found. */
export function readPolicy(definition: PolicyOptions & { name: string }): Policy {
  const { name } = definition;
  const policy: Policy = {
    ...withDefaults(DEFAULTS, definition),
    backoff: withDefaults(DEFAULT_BACKOFF, definition.backoff ?? {}),
  };
  const problems = [
    ...(/^[\w.:-]{1,128}$/.test(name)
      ? []
      : ['name must be 1 to 128 letters, digits, "_", ".", ":" or "-".']),
    ...problemsOf(definition, POLICY_RULES, '', FACTS),
    ...problemsOf(definition.backoff ?? {}, BACKOFF_RULES, 'backoff.'),
  ];
  const { softTimeLimitMs, timeLimitMs } = policy;
  if (softTimeLimitMs !== undefined && softTimeLimitMs >= timeLimitMs) {
    problems.push(`softTimeLimitMs must be less than timeLimitMs, which is ${timeLimitMs}.`);
  }
  if (problems.length > 0) throw new TaskDefinitionError(name, problems);
  return policy;
}

function withDefaults<T extends object>(defaults: T, given: object): T {
  const options = Object.entries(given).filter(
    ([option, value]) => option in defaults && value !== undefined,
  );
  return { ...defaults, ...Object.fromEntries(options) };
}

/** Applies `neverRetryOn` and `retryOn`; retry limits are checked elsewhere. */
export function isRetryable(
  error: unknown,
  { retryOn, neverRetryOn }: Pick<Policy, 'retryOn' | 'neverRetryOn'>,
): boolean {
  const matches = (match: ErrorMatch) => matchesError(error, match);
  return !neverRetryOn.some(matches) && (retryOn === undefined || retryOn.some(matches));
}

function matchesError(error: unknown, match: ErrorMatch): boolean {
  if (typeof match === 'function') return isInstance(error, match);
  if (!isInstance(error, Error)) return false;
  return propertyOf(error, 'name') === match || propertyOf(error, 'code') === match;
}

/**
 * Delay before the next retry, in whole milliseconds.
 * @param attempts retries so far.
 * @param random source of jitter in [0, 1).
 */
export function backoffMs(
  { delayMs, factor, maxMs, jitter }: Backoff,
  attempts: number,
  random: () => number,
): number {
  // Guards against Infinity × 0, which is NaN.
  const growth = Math.min(factor ** attempts, Number.MAX_VALUE);
  const delay = Math.min(delayMs * growth, maxMs);
  if (jitter === 'none') return Math.round(delay);
  return Math.round(jitter === 'full' ? delay * random() : (delay * (1 + random())) / 2);
}
