/**
 * The linter guards the floors, so something must guard the linter: every rule is broken on purpose, once.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packagePath } from '../../package-path.ts';

interface Violation {
  file: string;
  source: string;
  rule: string;
  /** How often the rule must speak up in that file. Default 1. */
  times?: number;
}

const importing = (...specifiers: string[]) =>
  specifiers.map((specifier, at) => `export * as m${at} from '${specifier}';\n`).join('');

const lines = (count: number) =>
  Array.from({ length: count }, (_, at) => `export const line${at} = ${at};\n`).join('');

const crossing = (file: string, ...specifiers: string[]): Violation => ({
  file,
  source: importing(...specifiers),
  rule: 'eslint(no-restricted-imports)',
  times: specifiers.length,
});

const HEAVY = ['piscina', 'openai', '@qdrant/js-client-rest'];

const VIOLATIONS: Violation[] = [
  crossing('service.ts', './db/postgres.ts', './jobs/task.ts', './api/app.ts'),
  crossing('errors.ts', './workers/worker.ts', './scheduler/beat.ts', './main.ts'),
  crossing('db/a.ts', '../jobs/task.ts', '../api/app.ts', '../workers/worker.ts', '../cli.ts'),
  crossing('db/embedded/a.ts', '../../jobs/task.ts', '../../scheduler/beat.ts', 'openai'),
  crossing('jobs/a.ts', '../api/app.ts', '../workers/worker.ts', '../scheduler/beat.ts'),
  crossing('jobs/b.ts', '../main.ts', './queue/broker.ts'),
  crossing('jobs/queue/a.ts', '../../db/postgres.ts', '../task.ts', '../tasks/a.ts'),
  crossing('jobs/queue/c.ts', '../../config.ts', '../../telemetry.ts', '../../errors.ts'),
  crossing('jobs/queue/b.ts', '../../api/app.ts', '../../app.ts', 'pg', 'piscina', 'fastify'),
  crossing('jobs/tasks/a.ts', '../queue/broker.ts', '../../workers/worker.ts', ...HEAVY),
  crossing('jobs/feedback/a.ts', '../queue/keys.ts', '../../api/app.ts', ...HEAVY),
  crossing('jobs/registry.ts', ...HEAVY),
  crossing('jobs/client.ts', ...HEAVY),
  crossing('api/a.ts', '../workers/worker.ts', '../scheduler/beat.ts', '../main.ts', ...HEAVY),
  crossing('workers/a.ts', '../api/app.ts', '../scheduler/beat.ts', '../app.ts'),
  crossing('workers/b.ts', '../cli/stores.ts', '../shutdown.ts'),
  crossing('jobs/c.ts', '../cli/stores.ts', '../flags.ts'),
  crossing('scheduler/a.ts', '../api/app.ts', '../workers/worker.ts', '../demo.ts'),
  crossing('main.ts', './test/support/database.ts', 'node:test'),
  crossing('api/b.ts', '../test/support/database.ts', 'node:test', 'node:process'),
  {
    ...crossing('db/lazy.ts', '../jobs/task.ts'),
    source: `export const load = () => import('../jobs/task.ts');\n`,
  },
  {
    ...crossing('db/types.ts', '../jobs/task.ts'),
    source: `export type { Task } from '../jobs/task.ts';\n`,
  },
  {
    file: 'workers/ring.ts',
    source: `import { two } from './ring-two.ts';\nexport const one: () => number = () => two();\n`,
    rule: 'import(no-cycle)',
  },
  {
    file: 'workers/ring-two.ts',
    source: `import { one } from './ring.ts';\nexport const two: () => number = () => one();\n`,
    rule: 'import(no-cycle)',
  },
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
  'service.ts': importing('node:path', './errors.ts'),
  'config.ts': `export const home = process.env['HOME'];\n`,
  'db/a.ts': importing('pg', '@qdrant/js-client-rest', './b.ts', '../errors.ts'),
  'db/embedded/a.ts': `export * from '../a.ts';\nexport const env = { ...process.env };\n`,
  'jobs/queue/a.ts': importing('ioredis', './b.ts', '../../package-path.ts', '../../service.ts'),
  'jobs/tasks/a.ts': importing('typebox', '../queue/index.ts', '../task.ts', '../../db/a.ts'),
  'jobs/llm/a.ts': importing('openai', '../../errors.ts'),
  'api/a.ts': importing('fastify', '../jobs/queue/index.ts', '../db/a.ts', './b.ts'),
  'workers/a.ts': importing('piscina', '../jobs/task.ts', '../jobs/queue/index.ts'),
  'scheduler/a.ts': importing('../jobs/task.ts', '../db/a.ts', '../service.ts'),
  'main.ts': importing('./api/a.ts', './workers/a.ts', './scheduler/a.ts', './config.ts'),
  'db/limit.ts': lines(250),
  'test/a.test.ts': importing('node:test', '../jobs/queue/a.ts', '../main.ts', 'openai'),
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

  for (const { file, rule, times = 1 } of VIOLATIONS) {
    test(`reports ${rule} ${times === 1 ? '' : `${times} times `}in ${file}`, () => {
      const all = diagnostics.filter((it) => it.filename === file);
      const found = all.filter((it) => it.code === rule);
      assert.equal(found.length, times, JSON.stringify(all, null, 2));
    });
  }

  test('fails when it reports something', () => assert.notEqual(exitCode, 0));

  test('passes a tree that keeps every rule', async () => {
    const clean = await lint(CLEAN);
    assert.deepEqual(clean.diagnostics, []);
    assert.equal(clean.exitCode, 0);
  });
});
