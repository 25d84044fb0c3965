/**
 * Every setting: name, kind, unit, default and one sentence. `.env.example`, `cli config` and the checks read this table.
 */
import { homedir } from 'node:os';
import path from 'node:path';
import { QUEUE_SETTINGS } from './queue-and-workers.ts';

type Kind = 'text' | 'url' | 'secret' | 'integer' | 'list' | 'origins' | 'choice';

export interface Setting {
  kind: Kind;
  /** What applies when the variable is unset or empty; `undefined` means "none". */
  default: string | undefined;
  unit?: string;
  /** For `choice`: the values; for `url`: the protocols. */
  values?: readonly string[];
  /** For `integer`; for `text` and `secret`: the least number of characters. */
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
    describe: 'What this process is: everything, or one part.',
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
  LOG_LEVEL: {
    kind: 'choice',
    default: 'info',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    describe: 'Least level of the log lines written to standard error.',
  },
  DATA_DIR: { kind: 'text', default: '.data', describe: 'Where embedded engines keep their data.' },
  CACHE_DIR: {
    kind: 'text',
    default: path.join(homedir(), '.cache', 'daodao'),
    describe: 'Where a downloaded redis-server is kept.',
  },
  DATABASE_URL: {
    kind: 'url',
    default: undefined,
    values: ['postgres:', 'postgresql:'],
    describe: 'Postgres. Unset: an embedded one.',
  },
  REDIS_URL: {
    kind: 'url',
    default: undefined,
    values: ['redis:', 'rediss:'],
    describe: 'Redis 7 or newer, noeviction. Unset: an embedded one.',
  },
  CLICKHOUSE_URL: {
    kind: 'url',
    default: undefined,
    values: ['http:', 'https:'],
    describe: 'ClickHouse HTTP interface. Unset: the embedded engine.',
  },
  QDRANT_URL: {
    kind: 'url',
    default: undefined,
    values: ['http:', 'https:'],
    describe: 'Qdrant REST interface. Unset: the local vector store, which is not Qdrant.',
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
    describe: 'Any OpenAI-compatible server. With no key either: the offline coach.',
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
      'Model that turns texts into vectors. Another one is used once everything is embedded again.',
  },
  EMBEDDING_DEBOUNCE_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '30000',
    min: 1,
    max: 3_600_000,
    describe: 'How long after the last change the vectors of a user are made anew.',
  },
  LLM_TIMEOUT_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '60000',
    min: 100,
    max: 85_000,
    describe: 'Deadline of one LLM call; a run of up to three calls has 90 s in all.',
  },
  OFFLINE_COACH_DELAY_MS: {
    kind: 'integer',
    unit: 'ms',
    default: '0',
    min: 0,
    max: 600_000,
    describe: 'How long the offline coach takes to answer, to see what a slow model does.',
  },
  JWT_SECURITY: {
    kind: 'secret',
    default: undefined,
    min: 16,
    describe:
      'Secret of the HS256 tokens, at least 16 characters. Needed by the API unless Postgres is embedded.',
  },
  INTERNAL_API_KEY: {
    kind: 'secret',
    default: undefined,
    min: 16,
    describe:
      'Key that services of DaoDao send as X-Internal-API-Key, at least 16 characters. Unset: none gets in.',
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
    describe: 'Whether a scheduler runs the schedules; off in a copy of production.',
  },
  FEEDBACK_MIN_PROGRESS: {
    kind: 'integer',
    unit: '%',
    default: '70',
    min: 0,
    max: 100,
    describe: 'Least progress of a practice that gets feedback.',
  },
  FEEDBACK_MIN_NOTE_LENGTH: {
    kind: 'integer',
    unit: 'characters or words',
    default: '30',
    min: 0,
    max: 10_000,
    describe: 'Least average length of its notes.',
  },
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

/** The values of all settings, by their names in camel case; `undefined` where one has no default and may be unset. */
export type Config = {
  -readonly [
    Name in SettingName as Camel<Name>
  ]: (typeof SETTINGS)[Name]['default'] extends undefined
    ? ValueOf<(typeof SETTINGS)[Name]> | undefined
    : ValueOf<(typeof SETTINGS)[Name]>;
};
