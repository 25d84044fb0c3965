/**
 * The linter and the table of floors guard the house, so something must guard them: every rule is broken on purpose, once.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { problemsOf } from './floors.ts';
import { readTree, type SourceFile } from './tree.ts';
import { packagePath } from '../../base/package-path.ts';

interface Violation {
  file: string;
  source: string;
  rule: string;
}

const importing = (...specifiers: string[]) =>
  specifiers.map((specifier, at) => `export * as m${at} from '${specifier}';\n`).join('');

const lines = (count: number) =>
  Array.from({ length: count }, (_, at) => `export const line${at} = ${at};\n`).join('');

const VIOLATIONS: Violation[] = [
  { file: 'api/b.ts', source: importing('node:process'), rule: 'eslint(no-restricted-imports)' },
  {
    file: 'api/floating.ts',
    source: `export function start(): void {\n  Promise.reject(new Error('lost'));\n}\n`,
    rule: 'typescript(no-floating-promises)',
  },
  {
    file: 'api/misused.ts',
    source: `process.on('exit', async () => {\n  await Promise.resolve();\n});\n`,
    rule: 'typescript(no-misused-promises)',
  },
  {
    file: 'api/awaited.ts',
    source: `export async function wait(): Promise<void> {\n  await 1;\n}\n`,
    rule: 'typescript(await-thenable)',
  },
  {
    file: 'api/switch.ts',
    source: `export function f(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n      f('b');\n  }\n}\n`,
    rule: 'typescript(switch-exhaustiveness-check)',
  },
  { file: 'db/long.ts', source: lines(251), rule: 'eslint(max-lines)' },
  {
    file: 'db/any.ts',
    source: `export const loose = (value: any): unknown => value;\n`,
    rule: 'typescript(no-explicit-any)',
  },
  {
    file: 'db/unsafe.ts',
    source: `export const parsed: number = JSON.parse('1');\n`,
    rule: 'typescript(no-unsafe-assignment)',
  },
  {
    file: 'db/env.ts',
    source: `export const home = process.env['HOME'];\n`,
    rule: 'node(no-process-env)',
  },
  {
    file: 'workers/shout.ts',
    source: `console.log('here');\n`,
    rule: 'eslint(no-console)',
  },
];

const CLEAN: Record<string, string> = {
  'base/config.ts': `export const home = process.env['HOME'];\n`,
  'db/embedded/a.ts': `export const env = { ...process.env };\n`,
  'db/limit.ts': lines(250),
};

interface Diagnostic {
  code: string;
  filename: string;
  message: string;
}

const folders: string[] = [];

/** Runs the linter as `npm run check` does over a tree of these files, under this project's own configuration. */
async function lint(
  files: Record<string, string>,
): Promise<{ exitCode: number; diagnostics: Diagnostic[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-floors-'));
  folders.push(folder);
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
    await copyFile(packagePath(name), path.join(folder, name));
  await symlink(packagePath('node_modules'), path.join(folder, 'node_modules'));
  for (const [name, source] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), source);
  }
  const linter = packagePath('node_modules', '.bin', 'oxlint');
  return new Promise((resolve, reject) => {
    const flags = ['--type-aware', '--deny-warnings', '--format=json'];
    const child = execFile(linter, flags, { cwd: folder }, (_error, stdout, stderr) => {
      if (!stdout.startsWith('{')) return reject(new Error(`${stdout}${stderr}`));
      const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
      resolve({ exitCode: child.exitCode ?? -1, diagnostics });
    });
  });
}

describe('the linter', () => {
  let exitCode: number;
  let diagnostics: Diagnostic[];

  before(async () => {
    const broken = Object.fromEntries(VIOLATIONS.map(({ file, source }) => [file, source]));
    ({ exitCode, diagnostics } = await lint(broken));
  });
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  for (const { file, rule } of VIOLATIONS) {
    test(`reports ${rule} in ${file}`, () => {
      const all = diagnostics.filter((it) => it.filename === file);
      const found = all.filter((it) => it.code === rule);
      assert.equal(found.length, 1, JSON.stringify(all, null, 2));
    });
  }

  test('fails when it reports something', () => assert.notEqual(exitCode, 0));

  test('passes a tree that keeps every rule', async () => {
    const clean = await lint(CLEAN);
    assert.deepEqual(clean.diagnostics, []);
    assert.equal(clean.exitCode, 0);
  });
});

/** A file that keeps every rule, but for what is said of it. */
const source = (file: string, facts: Partial<SourceFile> = {}): SourceFile => ({
  file,
  lines: 10,
  imports: [],
  packages: [],
  ...facts,
});

/** What may not be imported, by who tries it. */
const CROSSINGS: Record<string, string[]> = {
  'base/a.ts': [
    'db/stores/postgres.ts',
    'jobs/define.ts',
    'api/context.ts',
    'main.ts',
    'cli/stores.ts',
  ],
  'db/stores/a.ts': ['db/tasks/rows.ts', 'db/daodao/cards.ts', 'db/embedded/engines.ts'],
  'db/embedded/redis/a.ts': ['db/embedded/postgres/start.ts', 'db/stores/cache.ts'],
  'db/tasks/a.ts': ['db/daodao/cards.ts', 'db/llm/calls.ts', 'jobs/tasks.ts'],
  'db/daodao/a.ts': ['db/tasks/rows.ts', 'jobs/framework/define.ts', 'workers/retry-decision.ts'],
  'jobs/queue/worker/a.ts': ['db/stores/postgres.ts', 'jobs/framework/define.ts', 'jobs/tasks.ts'],
  'jobs/framework/a.ts': [
    'jobs/tasks.ts',
    'jobs/resources.ts',
    'jobs/queue/broker/keys.ts',
    'db/daodao/cards.ts',
  ],
  'jobs/llm/a.ts': ['jobs/feedback/task.ts', 'db/daodao/cards.ts', 'jobs/queue/index.ts'],
  'jobs/feedback/a.ts': [
    'jobs/embeddings/task.ts',
    'jobs/queue/index.ts',
    'db/tasks/rows.ts',
    'db/stores/cache.ts',
    'api/context.ts',
  ],
  'jobs/a.ts': [
    'workers/retry-decision.ts',
    'scheduler/beat.ts',
    'jobs/queue/broker/keys.ts',
    'cli/stores.ts',
  ],
  'workers/main/a.ts': [
    'workers/thread/line.ts',
    'jobs/tasks.ts',
    'db/daodao/cards.ts',
    'api/context.ts',
    'scheduler/beat.ts',
    'app.ts',
  ],
  'workers/thread/a.ts': ['workers/main/pool.ts', 'jobs/resources.ts'],
  'scheduler/a.ts': [
    'workers/main/pool.ts',
    'api/context.ts',
    'jobs/schedules.ts',
    'db/daodao/cards.ts',
  ],
  'api/http/a.ts': ['api/tasks/routes.ts', 'api/feedback/routes.ts', 'jobs/tasks.ts'],
  'api/tasks/a.ts': ['api/feedback/routes.ts', 'jobs/feedback/task.ts', 'db/daodao/cards.ts'],
  'api/feedback/a.ts': ['workers/main/pool.ts', 'scheduler/beat.ts', 'db/embedded/engines.ts'],
  'app.ts': ['db/embedded/engines.ts', 'test/support/config.ts'],
};

describe('the table of floors', () => {
  for (const [file, imports] of Object.entries(CROSSINGS)) {
    for (const imported of imports) {
      test(`${file} may not import ${imported}`, () => {
        const problems = problemsOf([source(file, { imports: [imported] })]);
        assert.equal(problems.length, 1, problems.join('\n'));
        assert.ok(problems[0]?.startsWith(`${file} imports ${imported}`));
      });
    }
  }

  test('a package is imported at home alone', () => {
    const problemsOfImport = (file: string, name: string) =>
      problemsOf([source(file, { packages: [name] })]);
    for (const name of [
      'piscina',
      'openai',
      '@qdrant/js-client-rest',
      'pg',
      'ioredis',
      'fastify',
      'node:test',
    ]) {
      assert.equal(problemsOfImport('jobs/framework/a.ts', name).length, 1, name);
      assert.deepEqual(problemsOfImport('test/a.test.ts', name), [], name);
    }
    assert.deepEqual(problemsOfImport('jobs/llm/openai/a.ts', 'openai'), []);
  });

  test('a file in no room, one too long and a folder too full are told', () => {
    assert.match(problemsOf([source('utils/a.ts')]).join(), /no room/);
    assert.match(problemsOf([source('db/tasks/a.ts', { lines: 251 })]).join(), /251 lines/);
    const full = Array.from({ length: 15 }, (_, at) => source(`db/tasks/a${at}.ts`));
    assert.match(problemsOf(full).join(), /db\/tasks has 15/);
  });

  test('a cycle is told with every file of it', () => {
    const [a, b] = ['db/tasks/a.ts', 'db/tasks/b.ts'];
    const problems = problemsOf([source(a, { imports: [b] }), source(b, { imports: [a] })]);
    assert.deepEqual(problems, [`${a} imports ${b} imports ${a}: a cycle.`]);
  });

  test('every way to import is read, types included', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'daodao-floors-'));
    folders.push(folder);
    const text = [
      `import type { A } from './a.ts';`,
      `export * from '../b.ts';`,
      `import {\n  c,\n} from './c.ts';`,
      `const d = () => import('./d.ts');`,
      `import './e.ts';`,
      `import { f } from '@scope/name/f';`,
    ];
    await mkdir(path.join(folder, 'db'));
    await writeFile(path.join(folder, 'db', 'x.ts'), `${text.join('\n')}\n`);
    assert.deepEqual(readTree(folder), [
      {
        file: 'db/x.ts',
        lines: 8,
        imports: ['db/a.ts', 'b.ts', 'db/c.ts', 'db/d.ts', 'db/e.ts'],
        packages: ['@scope/name'],
      },
    ]);
  });
});
