/**
 * What a call of a task may say beside its payload, and what is wrong with a call that says something else.
 */
import { problemsOf, wholeFrom, type Rule } from './rules.ts';

export interface CallOptions {
  /** A UUID in lower case; the same id with the same payload is the same task. Default: a new one. */
  id?: string | undefined;
  /** Not to be started before this many milliseconds from now. Default 0. */
  countdownMs?: number | undefined;
  /** Not to be started before this time, instead of `countdownMs`. For tasks that are not durable, by the clock here. */
  eta?: Date | undefined;
  /** Not to be started after this many milliseconds from now. Default: never too late. */
  expiresMs?: number | undefined;
  /** 0 to 9, 9 first. Default: the task's. */
  priority?: number | undefined;
  /** One that workers serve. Default: the task's. */
  queue?: string | undefined;
  /** Small facts for `ctx.job.headers`: at most 4,096 characters of JSON. */
  headers?: Record<string, string> | undefined;
}

export interface DurableCallOptions extends CallOptions {
  /** External id of the user who asks. */
  userId?: string | undefined;
  /** What it is about, for instance a practice's external id. */
  subject?: string | undefined;
  /** At most one unfinished task per key. */
  dedupeKey?: string | undefined;
  /**
   * Each call for the same `dedupeKey`, while its task has not begun, puts it off until this many milliseconds from then and
   * gives it the newest payload. A call that comes after it has begun is done after it, as with `trailing`.
   */
  debounceMs?: number | undefined;
  /** But not beyond this many milliseconds from the first call. Default: as long as calls come. */
  maxWaitMs?: number | undefined;
  /** A call that meets a task of the same `dedupeKey` which has begun is done once more after it. Default false. */
  trailing?: boolean | undefined;
  /** Unique per user for 24 h: the same key and request get the same task. */
  idempotencyKey?: string | undefined;
  /** Hash of everything the result depends on: a finished task with the same one is the answer. */
  inputHash?: string | undefined;
}

/** 100 years, in milliseconds: the longest delay the queue takes. */
const LONGEST_MS = 100 * 365 * 86_400_000;
const MAX_HEADERS_LENGTH = 4096;

const DURATION = wholeFrom(0, LONGEST_MS);
const TEXT: Rule = [
  (value) => typeof value === 'string' && value !== '' && value.length <= 1000,
  'a text of 1 to 1,000 characters',
];

const RULES: Record<keyof CallOptions, Rule> = {
  id: [
    (value) =>
      typeof value === 'string' &&
      /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(value),
    'a UUID in lower case',
  ],
  countdownMs: DURATION,
  eta: [(value) => value instanceof Date && !Number.isNaN(value.getTime()), 'a valid Date'],
  expiresMs: DURATION,
  priority: wholeFrom(0, 9),
  queue: TEXT,
  headers: [isHeaders, `texts by name, at most ${MAX_HEADERS_LENGTH} characters of JSON`],
};

const DURABLE_RULES: Record<keyof DurableCallOptions, Rule> = {
  ...RULES,
  userId: TEXT,
  subject: TEXT,
  dedupeKey: TEXT,
  debounceMs: wholeFrom(1, LONGEST_MS),
  maxWaitMs: wholeFrom(1, LONGEST_MS),
  trailing: [(value) => typeof value === 'boolean', 'true or false'],
  idempotencyKey: TEXT,
  inputHash: TEXT,
};

/** Options that mean nothing without another one. */
const NEEDS = {
  debounceMs: 'dedupeKey',
  trailing: 'dedupeKey',
  maxWaitMs: 'debounceMs',
  idempotencyKey: 'userId',
} as const satisfies Partial<Record<keyof DurableCallOptions, keyof DurableCallOptions>>;

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return (
    Object.values(value).every((header) => typeof header === 'string') &&
    JSON.stringify(value).length <= MAX_HEADERS_LENGTH
  );
}

/** One sentence for each thing that is wrong with the options of a call. */
export function problemsOfCall(options: DurableCallOptions, isDurable: boolean): string[] {
  const problems = problemsOf(options, isDurable ? DURABLE_RULES : RULES, '');
  if (options.countdownMs !== undefined && options.eta !== undefined) {
    problems.push('countdownMs and eta cannot both be given.');
  }
  for (const [option, needed] of Object.entries(NEEDS)) {
    const name = option as keyof typeof NEEDS;
    if (isDurable && options[name] !== undefined && options[needed] === undefined) {
      problems.push(`${option} needs ${needed}.`);
    }
  }
  return problems;
}
