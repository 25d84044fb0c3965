/**
 * The linter guards the house, so something must guard the linter: every rule is broken on purpose, once.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
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
