/**
 * Every fragment of a script fits on a screen and opens with what it is for, and every one is part of a script.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { packagePath } from '../../../../base/package-path.ts';

const folder = packagePath('jobs', 'queue', 'lua');

for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith('.lua')) continue;
  const file = basename(path);
  test(`${file} is short and says what it is for`, () => {
    const lines = readFileSync(`${folder}/${path}`, 'utf8').trimEnd().split('\n');
    assert.ok(lines.length < 60, `${lines.length} lines`);
    assert.match(lines[0]!, new RegExp(`^-- ${file.replace('.lua', '')}: `));
  });

  test(`${file} is part of a script`, () => {
    const recipes = readFileSync(packagePath('jobs', 'queue', 'broker', 'scripts.ts'), 'utf8');
    assert.ok(recipes.includes(`'${file.replace('.lua', '')}'`));
  });
}
