/**
 * The policy of a task: where it waits, how often it is tried, how long it may run. Checked where the task is defined.
 */
import { problemsOf, wholeFrom, type Rule } from './rules.ts';

export interface Backoff {
  /** Delay before the first retry, in milliseconds. Default 1,000. */
  delayMs: number;
  /** Each further delay is this many times longer; 1: always the same. Default 2. */
  factor: number;
  /** Longest delay, in milliseconds. Default 600,000. */
  maxMs: number;
  /** `full`: anywhere from 0 to the delay; `equal`: from half of it on; `none`: exactly the delay. Default `full`. */
  jitter: 'full' | 'equal' | 'none';
}

/** Errors of a class, or with this `code` or `name`. */
export type ErrorMatch = string | (abstract new (...args: never[]) => Error);

export interface Policy {
  /** Default `default`. */
  queue: string;
  /** Retries after the first attempt. Default 3. */
  maxRetries: number;
  backoff: Backoff;
  /** Errors worth another attempt. Default: all. */
  retryOn: readonly ErrorMatch[] | undefined;
  /** Errors that are not, whatever `retryOn` says. Default: none. */
  neverRetryOn: readonly ErrorMatch[];
  /** No retry is planned for later than this after the task was asked for, in milliseconds. Default: no such bound. */
  retryForMs: number | undefined;
  /** Aborts `ctx.signal`, in milliseconds from the start. Default none. */
  softTimeLimitMs: number | undefined;
  /** Ends the thread, in milliseconds from the start. Default 600,000. */
  timeLimitMs: number;
  /** 0 to 9, 9 first. Default 5. */
  priority: number;
  /** Whether it runs on a thread where nothing else runs, for work that computes much or is not trusted. Default false. */
  isolated: boolean;
}

/** What a definition says of it; the rest are the defaults. */
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

/** All that is wrong with a definition, one sentence a problem. */
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

/** What a definition has besides its policy. */
const FACTS = ['name', 'durable', 'payload', 'result', 'run', 's'];

/**
 * The policy a definition asks for, completed by the defaults.
 * @throws {TaskDefinitionError} with every problem found.
 */
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

/** Whether another attempt is worth it, as far as the kind of error tells. */
export function isRetryable(
  error: unknown,
  { retryOn, neverRetryOn }: Pick<Policy, 'retryOn' | 'neverRetryOn'>,
): boolean {
  const matches = (match: ErrorMatch) => matchesError(error, match);
  return !neverRetryOn.some(matches) && (retryOn === undefined || retryOn.some(matches));
}

function matchesError(error: unknown, match: ErrorMatch): boolean {
  if (typeof match === 'function') return error instanceof match;
  if (!(error instanceof Error)) return false;
  return error.name === match || ('code' in error && error.code === match);
}

/**
 * Delay before the retry that follows `attempts` earlier ones, in whole milliseconds.
 * @param random source of jitter in [0, 1).
 */
export function backoffMs(
  { delayMs, factor, maxMs, jitter }: Backoff,
  attempts: number,
  random: () => number,
): number {
  // Infinity times a delay of 0 would be no number.
  const growth = Math.min(factor ** attempts, Number.MAX_VALUE);
  const delay = Math.min(delayMs * growth, maxMs);
  if (jitter === 'none') return Math.round(delay);
  return Math.round(jitter === 'full' ? delay * random() : (delay * (1 + random())) / 2);
}
