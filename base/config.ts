/** The only reader of the environment: checks it against the settings and reports all problems at once. */
import { existsSync } from 'node:fs';
import { closest, didYouMean } from './options/closest.ts';
import { SETTINGS, type Config, type Setting, type SettingName } from './settings/index.ts';

export { ROLES, SETTINGS, type Config, type SettingName } from './settings/index.ts';

/** A configuration in which every store has an address. */
export interface ResolvedConfig extends Config {
  databaseUrl: string;
  redisUrl: string;
  clickhouseUrl: string;
  qdrantUrl: string;
  openaiBaseUrl: string;
  openaiApiKey: string;
  jwtSecurity: string;
}

/** One sentence per problem of the environment. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      ['The configuration is not valid:', ...problems.map((problem) => `  - ${problem}`)].join(
        '\n',
      ),
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Treats a variable that looks like a misspelt setting as a problem, unless that setting is set too. Names of up to
 * four letters are exempt: they often belong to other programs.
 * @throws {ConfigError} with every problem found.
 */
export function loadConfig(env: NodeJS.ProcessEnv = environment()): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const given = env[name]?.trim();
    const text = given === undefined || given === '' ? setting.default : given;
    values[camelCase(name)] = text === undefined ? undefined : parse(name, setting, text, problems);
  }
  const guessable = Object.keys(SETTINGS).filter((name) => name.length > 4 && !env[name]?.trim());
  for (const name of Object.keys(env)) {
    const meant = name in SETTINGS ? undefined : closest(name, guessable);
    if (meant !== undefined) problems.push(`${name} is not a setting: did you mean ${meant}?`);
  }
  const config = values as unknown as Config;
  const servesHttp = config.role === 'all' || config.role === 'api';
  if (servesHttp && config.databaseUrl !== undefined && config.jwtSecurity === undefined) {
    problems.push(
      'The API requires JWT_SECURITY when DATABASE_URL is set: set it to the secret that signs the tokens of your users.',
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

const STORE_URLS = ['DATABASE_URL', 'REDIS_URL', 'CLICKHOUSE_URL', 'QDRANT_URL'] as const;

/** Embeds every store, and names the configured store URLs it ignores. @throws {ConfigError} */
export function loadEmbeddedConfig(env: NodeJS.ProcessEnv = environment()): {
  config: Config;
  ignored: SettingName[];
} {
  const ignored = STORE_URLS.filter((name) => env[name]?.trim());
  const unset = Object.fromEntries(ignored.map((name) => [name, undefined]));
  return { config: loadConfig({ ...env, ...unset }), ignored };
}

function parse(name: string, setting: Setting, text: string, problems: string[]): unknown {
  switch (setting.kind) {
    case 'integer': {
      const value = Number(text);
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = setting;
      if (!/^-?\d+$/.test(text) || value < min || value > max) {
        const unit = setting.unit === undefined ? '' : ` ${setting.unit}`;
        problems.push(
          `${name} must be a whole number from ${min} to ${max}${unit}, not "${text}".`,
        );
      }
      return value;
    }
    case 'choice': {
      if (!setting.values?.includes(text)) {
        const hint = didYouMean(text, setting.values ?? []);
        problems.push(
          `${name} must be one of ${setting.values?.join(', ')}, not "${text}".${hint}`,
        );
      }
      return text;
    }
    case 'url': {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url === undefined || !setting.values?.includes(url.protocol)) {
        problems.push(
          `${name} must be a URL that starts with ${setting.values?.join('// or ')}//.`,
        );
      }
      return text;
    }
    case 'list': {
      const items = text.split(',').map((item) => item.trim());
      if (items.some((item) => !/^[\w.-]{1,64}$/.test(item))) {
        problems.push(
          `${name} must be names of letters, digits, "_", "." and "-", separated by commas.`,
        );
      }
      return items;
    }
    case 'origins': {
      const items = text.split(',').map((item) => item.trim());
      if (items.some((item) => !URL.canParse(item) || new URL(item).origin !== item)) {
        problems.push(
          `${name} must be origins such as https://daodao.example, with no path, separated by commas.`,
        );
      }
      return items;
    }
    case 'text':
    case 'secret':
      if (setting.min !== undefined && text.length < setting.min) {
        problems.push(`${name} must have at least ${setting.min} characters.`);
      }
      return text;
  }
}

/** Secrets and passwords in URLs are masked. */
export function describeConfig(
  env: NodeJS.ProcessEnv = environment(),
): { name: string; value: string; isDefault: boolean; unit: string; describe: string }[] {
  return Object.entries<Setting>(SETTINGS).map(([name, setting]) => {
    const given = env[name]?.trim();
    const isSet = given !== undefined && given !== '';
    return {
      name,
      value: mask(setting, isSet ? given : setting.default),
      isDefault: !isSet && setting.default !== undefined,
      unit: setting.unit ?? '',
      describe: setting.describe,
    };
  });
}

function mask(setting: Setting, text: string | undefined): string {
  if (text === undefined) return '(unset)';
  if (setting.kind === 'secret') return '(set, hidden)';
  if (setting.kind !== 'url') return text;
  if (!URL.canParse(text)) return '(set, but not a URL: hidden)';
  const url = new URL(text);
  if (url.password !== '') url.password = '***';
  else if (url.username !== '') url.username = '***';
  if (url.search !== '') url.search = '?***';
  return url.href;
}

function camelCase(name: string): string {
  return name.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Includes `.env` of the working directory, which overrides no variable. */
export function environment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}
