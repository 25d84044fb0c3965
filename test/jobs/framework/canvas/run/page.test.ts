/** The examples of docs/canvas.md give what the page says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { packagePath } from '../../../../../base/package-path.ts';
import * as combinators from '../../../../../jobs/framework/canvas/combinators.ts';
import type { Composite } from '../../../../../jobs/framework/canvas/composition.ts';
import { dag } from '../../../../../jobs/framework/canvas/dag.ts';
import * as over from '../../../../../jobs/framework/canvas/over.ts';
import { canvasWorld, TASKS } from './world.ts';

const world = canvasWorld();
const page = readFileSync(packagePath('docs', 'canvas.md'), 'utf8');
const examples = [...page.matchAll(/```ts\n([^`]+)\n```\n\n(gives|fails with) `([^`]+)`/g)].map(
  ([, code = '', what, said = '']) => ({ code, what, said }),
);

const scope = { ...combinators, ...over, dag, ...TASKS };
/** The page has code without types. */
const evaluate = (code: string): Composite => runInNewContext(code, scope) as Composite;

test('the page has an example of each combinator', () => {
  const text = examples.map(({ code }) => code).join();
  for (const name of [...Object.keys(combinators), ...Object.keys(over), 'dag']) {
    assert.match(text, new RegExp(`\\b${name}\\(`), name);
  }
});

for (const { code, what, said } of examples) {
  test(`${code.split('\n')[0]} ${what} ${said}`, async () => {
    const result = world.result(evaluate(code));
    if (what === 'gives') assert.equal(JSON.stringify(await result), said);
    else await assert.rejects(result, { code: said });
  });
}
