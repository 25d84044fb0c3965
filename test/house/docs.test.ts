/**
 * What the documents say must be so: codes, commands and paths are held against the repository.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { control } from '../../cli/commands/control.ts';
import { dead } from '../../cli/commands/dead.ts';
import { events } from '../../cli/commands/events.ts';
import { inspect } from '../../cli/commands/inspect.ts';
import { maintenance } from '../../cli/commands/maintenance.ts';
import { embeddings } from '../../cli/commands/reindex.ts';
import { schedules } from '../../cli/commands/schedules.ts';
import { packagePath } from '../../base/package-path.ts';
import { ERRORS } from '../../base/errors.ts';

const read = (...segments: string[]) => readFile(packagePath(...segments), 'utf8');

const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md'];

const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };

test('docs/errors.md lists exactly the codes of errors.ts, with their status and message', async () => {
  const rows = (await read('docs', 'errors.md'))
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const listed = rows.map((row) => row.replaceAll(/ +/g, ' '));
  const expected = Object.entries(ERRORS).map(
    ([code, { status, message }]) => `| \`${code}\` | ${status} | ${message} |`,
  );
  assert.deepEqual(listed, expected);
});

test('docs/operations.md names the commands that print no JSON', async () => {
  const commands = { ...maintenance, ...embeddings, ...inspect, ...control, ...dead, ...events };
  const without = Object.entries({ ...commands, ...schedules })
    .filter(([, { options }]) => options?.['json'] === undefined)
    .map(([name]) => name);
  const [, listed = ''] =
    /These do not take it: ([^.]+)\./.exec(await read('docs', 'operations.md')) ?? [];
  assert.deepEqual(
    [...listed.matchAll(/`([^`]+)`/g)].map((match) => match[1]),
    without,
  );
});

test('there are at most twelve scripts to remember', () => {
  assert.ok(Object.keys(scripts).length <= 12, Object.keys(scripts).join());
});

for (const name of DOCUMENTS) {
  describe(name, async () => {
    const text = await read(name);

    test('names only scripts that exist', () => {
      const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
        (match) => match[1] ?? match[2] ?? '',
      );
      for (const script of named) assert.ok(script in scripts, `npm run ${script}`);
    });

    test('links only to files that exist', () => {
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? '');
      for (const link of links) assert.ok(existsSync(packagePath(link)), link);
    });
  });
}

test('every path in backticks in ARCHITECTURE.md exists', async () => {
  const text = await read('ARCHITECTURE.md');
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  // A path has a folder or a file's ending, and is neither a route, a package, nor what the compiler makes.
  const paths = quoted.filter(
    (word) =>
      /^[\w.-]+(\/[\w.-]*)+$|^[\w.-]+\.(ts|md|json|yml|example)$/.test(word) && word !== 'dist/',
  );
  assert.ok(paths.length > 15, `${paths.length} paths`);
  assert.deepEqual(
    paths.filter((file) => !existsSync(packagePath(file))),
    [],
  );
});
