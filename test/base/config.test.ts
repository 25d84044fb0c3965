import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { describe, test } from 'node:test';
import {
  ConfigError,
  describeConfig,
  loadConfig,
  loadEmbeddedConfig,
  SETTINGS,
  type SettingName,
} from '../../base/config.ts';
import { packagePath } from '../../base/package-path.ts';
import type { Setting } from '../../base/settings/index.ts';

const settings = Object.entries<Setting>(SETTINGS);

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

describe('.env.example', async () => {
  const text = await readFile(packagePath('.env.example'), 'utf8');
  const blocks = text.split('\n\n').slice(1);

  test('lists exactly the settings, in their order, all of them empty', () => {
    const assignments = blocks.map((block) => block.trim().split('\n').at(-1));
    assert.deepEqual(
      assignments,
      settings.map(([name]) => `${name}=`),
    );
  });

  for (const [at, [name, setting]] of settings.entries()) {
    test(`says of ${name} what the schema says`, () => {
      const facts = [setting.describe];
      if (setting.kind === 'choice') facts.push(`One of: ${setting.values?.join(', ')}.`);
      if (setting.unit !== undefined) facts.push(`Unit: ${setting.unit}.`);
      if (setting.default !== undefined)
        facts.push(`Default: ${setting.default.replace(homedir(), '~')}`);
      assert.equal(blocks[at]?.trim().split('\n')[0], `# ${facts.join(' ')}`);
    });
  }
});

describe('loadConfig', () => {
  test('takes the defaults when nothing is set', () => {
    const config = loadConfig({});
    assert.equal(config.role, 'all');
    assert.equal(config.port, 3000);
    assert.equal(config.leaseMs, 15_000);
    assert.deepEqual(config.workerQueues, ['ai_tasks', 'default']);
    assert.equal(config.databaseUrl, undefined);
    assert.equal(config.openaiApiKey, undefined);
  });

  test('has defaults that its own rules accept', () => {
    const defaults = Object.fromEntries(settings.map(([name, it]) => [name, it.default]));
    assert.deepEqual(loadConfig(defaults), loadConfig({}));
  });

  test('treats empty and blank as unset', () => {
    const blank = Object.fromEntries(settings.map(([name], at) => [name, at % 2 ? '' : '  ']));
    assert.deepEqual(loadConfig(blank), loadConfig({}));
  });

  test('reads every kind of setting', () => {
    const config = loadConfig({
      ROLE: 'worker',
      PORT: '0',
      DATABASE_URL: ' postgres://localhost/x ',
      WORKER_QUEUES: 'ai_tasks, mail',
    });
    assert.equal(config.role, 'worker');
    assert.equal(config.port, 0);
    assert.equal(config.databaseUrl, 'postgres://localhost/x');
    assert.deepEqual(config.workerQueues, ['ai_tasks', 'mail']);
  });

  test('reports all problems at once, each with what would be right', () => {
    const problems = problemsOf({
      ROLE: 'worke',
      PORT: '70000',
      LEASE_MS: '1e4',
      REDIS_URL: 'localhost:6379',
      WORKER_QUEUES: 'a,,b',
      WORKER_THREDS: '4',
    });
    assert.deepEqual(problems, [
      'ROLE must be one of all, api, worker, scheduler, not "worke". Did you mean worker?',
      'PORT must be a whole number from 0 to 65535, not "70000".',
      'REDIS_URL must be a URL that starts with redis:// or rediss://.',
      'LEASE_MS must be a whole number from 200 to 3600000 ms, not "1e4".',
      'WORKER_QUEUES must be names of letters, digits, "_", "." and "-", separated by commas.',
      'WORKER_THREDS is not a setting: did you mean WORKER_THREADS?',
    ]);
  });

  test('shows every problem in the message of the error', () => {
    assert.throws(() => loadConfig({ PORT: 'x', VECTOR_SIZE: '1' }), /PORT must[^]*VECTOR_SIZE/);
  });

  test('never repeats what stands in a URL or a secret', () => {
    const problems = problemsOf({
      ROLE: 'worker',
      DATABASE_URL: 'mysql://u:canary@h/x',
      REDIS_URL: 'canary',
    });
    assert.equal(problems.length, 2);
    assert.doesNotMatch(problems.join(), /canary/);
  });

  test('takes ordinary environments for what they are', () => {
    const ordinary = [
      'HOME HOSTS HOSTNAME HOSTTYPE PATH PORTS SPORT ROLES USER PWD OLDPWD SHELL SHLVL TERM LANG',
      'CI EDITOR LOGNAME TMPDIR XDG_DATA_DIRS XDG_CACHE_HOME NODE_ENV NODE_OPTIONS INIT_CWD',
      'TEST_DATABASE_URL TEST_REDIS_URL OPENAI_ORG_ID OPENAI_API_BASE REDIS_PORT REDIS_HOST',
      'KUBERNETES_PORT POSTGRES_USER CLICKHOUSE_PORT npm_config_cache LOG_LEVEL_EXTRA DEBUG',
    ].flatMap((line) => line.split(' '));
    assert.deepEqual(problemsOf(Object.fromEntries(ordinary.map((name) => [name, '1']))), []);
  });

  test('does not take a like-named variable for a slip when the setting itself is given', () => {
    const DATABASE_URI = 'sqlite:///x';
    assert.equal(problemsOf({ ROLE: 'worker', DATABASE_URI }).length, 1);
    const both = { ROLE: 'worker', DATABASE_URI, DATABASE_URL: 'postgres://localhost/x' };
    assert.deepEqual(problemsOf(both), []);
  });

  for (const role of ['all', 'api']) {
    test(`wants JWT_SECURITY of the role ${role} as soon as Postgres is not embedded`, () => {
      const env = { ROLE: role, DATABASE_URL: 'postgres://localhost/x' };
      assert.match(
        problemsOf(env).join(),
        /^The API requires JWT_SECURITY .*: set it to the secret/,
      );
      assert.deepEqual(problemsOf({ ...env, JWT_SECURITY: 'of 16 characters' }), []);
      assert.deepEqual(problemsOf({ ROLE: role }), []);
    });
  }

  for (const role of ['worker', 'scheduler']) {
    test(`does not want JWT_SECURITY of the role ${role}, which serves nobody`, () => {
      assert.deepEqual(problemsOf({ ROLE: role, DATABASE_URL: 'postgres://localhost/x' }), []);
    });
  }
});

test('a secret too short to keep anybody out is refused without being shown', () => {
  assert.deepEqual(problemsOf({ JWT_SECURITY: 'of 15 character' }), [
    'JWT_SECURITY must have at least 16 characters.',
  ]);
});

test('the configuration with every store embedded names the URLs it ignores, and does not judge them', () => {
  const env = { DATABASE_URL: 'canary', REDIS_URL: ' ', QDRANT_URL: 'http://h', LLM_MODEL: 'm' };
  const { config, ignored } = loadEmbeddedConfig(env);
  assert.deepEqual(ignored, ['DATABASE_URL', 'QDRANT_URL']);
  assert.deepEqual(config, loadConfig({ LLM_MODEL: 'm' }));
});

describe('describeConfig', () => {
  const shown = (name: SettingName, value: string) =>
    describeConfig({ [name]: value }).find((setting) => setting.name === name)?.value;

  test('lists every setting with its sentence and where the value came from', () => {
    const listed = describeConfig({ PORT: '8080' });
    assert.deepEqual(
      listed.map(({ name }) => name),
      settings.map(([name]) => name),
    );
    const port = listed.find(({ name }) => name === 'PORT');
    assert.deepEqual([port?.value, port?.isDefault], ['8080', false]);
    const lease = listed.find(({ name }) => name === 'LEASE_MS');
    const unset = listed.find(({ name }) => name === 'REDIS_URL');
    assert.deepEqual([unset?.value, unset?.isDefault], ['(unset)', false]);
    assert.deepEqual([lease?.value, lease?.isDefault, lease?.unit], ['15000', true, 'ms']);
    assert.ok(listed.every(({ describe: sentence }) => sentence.endsWith('.')));
  });

  test('hides every secret', () => {
    for (const [name, { kind }] of settings)
      if (kind === 'secret') assert.equal(shown(name as SettingName, 'canary'), '(set, hidden)');
    assert.equal(shown('JWT_SECURITY', ''), '(unset)');
  });

  for (const url of [
    'postgres://someone:canary@host/db',
    'redis://:canary@host:6379',
    'https://canary@host/v1',
    'https://host/v1?key=canary',
    'postgres://someone:canary@ho st/db',
    'canary',
  ]) {
    test(`hides the password in ${url}`, () => {
      for (const [name, { kind }] of settings)
        if (kind === 'url') assert.doesNotMatch(shown(name as SettingName, url) ?? '', /canary/);
    });
  }

  test('shows the rest of a URL', () => {
    assert.equal(shown('DATABASE_URL', 'postgres://me:x@h:5432/db'), 'postgres://me:***@h:5432/db');
  });
});
