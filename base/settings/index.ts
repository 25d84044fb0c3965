/**
 * Every setting: name, kind, unit, default and description. `.env.example`, `cli config` and the checks read this
 * table.
 */
import { homedir } from 'node:os';
import path from 'node:path';
import { LIMIT_SETTINGS } from './limits.ts';
import { QUEUE_SETTINGS } from './queue-and-workers.ts';

type Kind = 'text' | 'url' | 'secret' | 'integer' | 'list' | 'origins' | 'choice';

export interface Setting {
  kind: Kind;
  /** Applies when the variable is unset or empty. */
  default: string | undefined;
  unit?: string;
  /** For `choice`: the values; for `url`: the protocols. */
  values?: readonly string[];
  /** Lower bound of an `integer`; minimum length of a `text` or `secret`. */
  min?: number;
  max?: number;
  describe: string;
}

export const ROLES = ['all', 'api', 'worker', 'scheduler'] as const;

export const SETTINGS = {
  ROLE: {
    kind: 'choice',
    default: 'all',
    values: ROLES,
    describe: 'Part of the application that this process runs; all runs every part.',
  },
  HOST: { kind: 'text', default: '127.0.0.1', describe: 'Address the API listens on.' },
  PORT: {
    kind: 'integer',
    default: '3000',
    min: 0,
    max: 65535,
    describe: 'Port the API listens on; 0 takes a free one.',
  },
  OPERATIONS_PORT: {
    kind: 'integer',
    default: undefined,
    min: 0,
    max: 65535,
    describe:
      'Port on which a process without the API answers /health, /ready and /metrics; 0 takes a free one.',
  },
  OPERATIONS_ACCESS: {
    kind: 'choice',
    default: 'public',
    values: ['public', 'admin'],
    describe:
      'Who may read /metrics, /openapi.json and /docs on the port of the API: everybody, or the role admin.',
  },
  LOG_LEVEL: {
    kind: 'choice',
    default: 'info',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    describe: 'Lowest level of the log lines written to standard error.',
  },
  DATA_DIR: {
    kind: 'text',
    default: '.data',
    describe: 'Directory of the data of embedded engines.',
  },
  CACHE_DIR: {
    kind: 'text',
    default: path.join(homedir(), '.cache', 'daodao'),
    describe: 'Directory of a downloaded redis-server.',
  },
  DATABASE_URL: {
    kind: 'url',
    default: undefined,
    values: ['postgres:', 'postgresql:'],
    describe: 'URL of Postgres. Unset: embedded Postgres.',
  },
  DATABASE_POOLER: {
    kind: 'choice',
    default: 'none',
    values: ['none', 'transaction'],
    describe:
      'What stands between the application and Postgres: "transaction" for a pooler in transaction mode, such as PgBouncer.',
  },
  REDIS_URL: {
    kind: 'url',
    default: undefined,
    values: ['redis:', 'rediss:'],
    describe: 'URL of Redis 7 or newer with noeviction. Unset: embedded Redis.',
  },
  CLICKHOUSE_URL: {
    kind: 'url',
    default: undefined,
    values: ['http:', 'https:'],
    describe: 'HTTP interface of ClickHouse. Unset: the embedded engine.',
  },
  QDRANT_URL: {
    kind: 'url',
    default: undefined,
    values: ['http:', 'https:'],
    describe: 'REST interface of Qdrant. Unset: a local vector store in place of Qdrant.',
  },
  QDRANT_API_KEY: { kind: 'secret', default: undefined, describe: 'API key of Qdrant.' },
  VECTOR_SIZE: {
    kind: 'integer',
    default: '768',
    min: 8,
    max: 4096,
    describe: 'Length of an embedding vector.',
  },
  OPENAI_BASE_URL: {
    kind: 'url',
    default: undefined,
    values: ['http:', 'https:'],
    describe: 'URL of an OpenAI-compatible server. Unset, with no key either: the offline coach.',
  },
  OPENAI_API_KEY: {
    kind: 'secret',
    default: undefined,
    describe: 'Key of the OpenAI-compatible server.',
  },
  LLM_MODEL: {
    kind: 'text',
    default: 'gpt-4o-mini',
    describe: 'Chat model that writes the feedback.',
  },
  EMBEDDING_MODEL: {
    kind: 'text',
    default: 'text-embedding-3-small',
    min: 1,
    describe:
      'Model that embeds texts. Changing it takes effect once everything is embedded again.',
  },
  EMBEDDING_DEBOUNCE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '30000',
    min: 1,
    max: 3_600_000,
    describe: 'How long after the last change of a user their vectors are updated.',
  },
  LLM_TIMEOUT_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '60000',
    min: 100,
    max: 85_000,
    describe: 'Deadline of one LLM call; a run of up to three calls has 90 s in total.',
  },
  OFFLINE_COACH_DELAY_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '0',
    min: 0,
    max: 600_000,
    describe: 'Delay of the offline coach, to simulate a slow model.',
  },
  JWT_SECURITY: {
    kind: 'secret',
    default: undefined,
    min: 16,
    describe:
      'Secret that signs the HS256 tokens, at least 16 characters. The API requires it unless Postgres is embedded.',
  },
  TOKEN_MAX_DAYS: {
    kind: 'integer',
    unit: 'days',
    default: '400',
    min: 0,
    max: 36_500,
    describe:
      'How far ahead a token may expire; others are refused, also those that never expire. 0: no limit.',
  },
  INTERNAL_API_KEY: {
    kind: 'secret',
    default: undefined,
    min: 16,
    describe:
      'Key that services of DaoDao send as X-Internal-API-Key, at least 16 characters. Unset: internal routes refuse every request.',
  },
  CORS_ORIGINS: {
    kind: 'origins',
    default: undefined,
    describe:
      'Origins of web pages that may call the API with cookies, comma-separated, such as https://daodao.example.',
  },
  SCHEDULES: {
    kind: 'choice',
    default: 'on',
    values: ['on', 'off'],
    describe: 'Whether a scheduler runs the schedules; turn it off in a copy of production.',
  },
  FEEDBACK_MIN_PROGRESS: {
    kind: 'integer',
    unit: '%',
    default: '70',
    min: 0,
    max: 100,
    describe: 'Minimum progress of a practice that gets feedback.',
  },
  FEEDBACK_MIN_NOTE_LENGTH: {
    kind: 'integer',
    unit: 'characters or words',
    default: '30',
    min: 0,
    max: 10_000,
    describe: 'Minimum average length of its notes.',
  },
  ...LIMIT_SETTINGS,
  ...QUEUE_SETTINGS,
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** `LEASE_MS` as `leaseMs`. */
type Camel<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Lowercase<First>}${Capitalize<Camel<Rest>>}`
  : Lowercase<Name>;

type ValueOf<S extends Setting> = S['kind'] extends 'integer'
  ? number
  : S['kind'] extends 'list' | 'origins'
    ? string[]
    : S extends { kind: 'choice'; values: readonly (infer Value)[] }
      ? Value
      : string;

/** Setting values by camel-case name; `undefined` for an unset one without a default. */
export type Config = {
  -readonly [
    Name in SettingName as Camel<Name>
  ]: (typeof SETTINGS)[Name]['default'] extends undefined
    ? ValueOf<(typeof SETTINGS)[Name]> | undefined
    : ValueOf<(typeof SETTINGS)[Name]>;
};
