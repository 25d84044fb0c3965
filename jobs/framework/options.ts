/** Call options and their validation. */
import type { AcceptRequest } from '../../db/tasks/request.ts';
import { isJobId, MAX_DURATION_MS, MAX_HEADERS_LENGTH } from '../queue/index.ts';
import { problemsOf, wholeFrom, type Rule } from '../../base/options/rules.ts';
import { isStorable, isStorableJson } from '../../base/options/storable.ts';

export interface CallOptions {
  /** A lower-case UUID. The same id and payload identify the same task. Default: a new id. */
  id?: string | undefined;
  /** Earliest start, in milliseconds from now. Default 0. */
  countdownMs?: number | undefined;
  /** Earliest start, within 100 years from now, instead of `countdownMs`. Transient tasks compare it with this process's clock. */
  eta?: Date | undefined;
  /** Latest start, in milliseconds from now. Default: no limit. */
  expiresMs?: number | undefined;
  /** 0 to 9, 9 first. Default: the task's. */
  priority?: number | undefined;
  /** A queue that workers serve. Default: the task's. */
  queue?: string | undefined;
  /** Exposed as `ctx.job.headers`. At most 4,096 characters of JSON. */
  headers?: Record<string, string> | undefined;
}

/** Adds the options that only durable tasks accept. */
export interface DurableCallOptions
  extends
    CallOptions,
    Pick<
      AcceptRequest,
      | 'userId'
      | 'subject'
      | 'dedupeKey'
      | 'debounceMs'
      | 'maxWaitMs'
      | 'trailing'
      | 'uniqueForMs'
      | 'idempotencyKey'
      | 'keyedRequest'
      | 'inputHash'
      | 'quota'
    > {}

export const DURATION = wholeFrom(0, MAX_DURATION_MS);
export const TEXT: Rule = [
  (value) => typeof value === 'string' && value !== '' && value.length <= 1000 && isStorable(value),
  'a string of 1 to 1,000 characters, without NUL characters and unpaired surrogates',
];

export const ID: Rule = [
  (value) => typeof value === 'string' && isJobId(value),
  'a UUID in lower case',
];

const RULES: Record<keyof CallOptions, Rule> = {
  id: ID,
  countdownMs: DURATION,
  eta: [
    (value) => value instanceof Date && Math.abs(value.getTime() - Date.now()) <= MAX_DURATION_MS,
    'a valid Date within 100 years from now',
  ],
  expiresMs: DURATION,
  priority: wholeFrom(0, 9),
  queue: TEXT,
  headers: [
    isHeaders,
    `an object of strings, at most ${MAX_HEADERS_LENGTH} characters of JSON, without NUL characters and unpaired surrogates`,
  ],
};

const DURABLE_RULES: Record<keyof DurableCallOptions, Rule> = {
  ...RULES,
  userId: TEXT,
  subject: TEXT,
  dedupeKey: TEXT,
  debounceMs: wholeFrom(1, MAX_DURATION_MS),
  maxWaitMs: wholeFrom(1, MAX_DURATION_MS),
  trailing: [(value) => typeof value === 'boolean', 'true or false'],
  uniqueForMs: wholeFrom(1, MAX_DURATION_MS),
  idempotencyKey: TEXT,
  keyedRequest: TEXT,
  inputHash: TEXT,
  quota: [isQuota, 'an object of most, from 1, and withinMs, from 1'],
};

/** Options that require another option. */
const NEEDS = {
  debounceMs: 'dedupeKey',
  trailing: 'dedupeKey',
  maxWaitMs: 'debounceMs',
  uniqueForMs: 'dedupeKey',
  idempotencyKey: 'userId',
  quota: 'userId',
} as const satisfies Partial<Record<keyof DurableCallOptions, keyof DurableCallOptions>>;

function isQuota(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { most, withinMs, ...others } = value as Record<string, unknown>;
  const isWhole = wholeFrom(1, MAX_DURATION_MS)[0];
  return isWhole(most) && isWhole(withinMs) && Object.keys(others).length === 0;
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (!Object.values(value).every((header) => typeof header === 'string')) return false;
  const text = JSON.stringify(value);
  return text.length <= MAX_HEADERS_LENGTH && isStorableJson(text);
}

/** @returns one sentence per problem. */
export function problemsOfCall(options: DurableCallOptions, isDurable: boolean): string[] {
  const problems = problemsOf(options, isDurable ? DURABLE_RULES : RULES, '');
  if (options.countdownMs !== undefined && options.eta !== undefined) {
    problems.push('countdownMs and eta cannot both be given.');
  }
  for (const option of ['trailing', 'debounceMs'] as const) {
    if (isDurable && options.uniqueForMs !== undefined && options[option] !== undefined) {
      problems.push(`uniqueForMs and ${option} cannot both be given.`);
    }
  }
  for (const [option, needed] of Object.entries(NEEDS)) {
    const name = option as keyof typeof NEEDS;
    if (isDurable && options[name] !== undefined && options[needed] === undefined) {
      problems.push(`${option} needs ${needed}.`);
    }
  }
  return problems;
}
