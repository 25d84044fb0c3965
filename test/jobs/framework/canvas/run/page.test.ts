/** The examples of docs/canvas.md give what the page says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileFunction } from 'node:vm';
import { Type } from 'typebox';
import { packagePath } from '../../../../../base/package-path.ts';
import * as combinators from '../../../../../jobs/framework/canvas/combinators.ts';
import type { Composite } from '../../../../../jobs/framework/canvas/composition.ts';
import { defineTask, type Task } from '../../../../../jobs/framework/define.ts';
import { dag } from '../../../../../jobs/framework/canvas/dag.ts';
import * as over from '../../../../../jobs/framework/canvas/over.ts';
import { canvasWorld, TASKS } from './world.ts';

const world = canvasWorld();
const page = readFileSync(packagePath('docs', 'canvas.md'), 'utf8');
const examples = [...page.matchAll(/```ts\n([^`]+)\n```\n\n(gives|fails with) `([^`]+)`/g)].map(
  ([, code = '', what, said = '']) => ({ code, what, said }),
);

/** What the examples define. */
const defined: Task[] = [];
const definer = (...args: Parameters<typeof defineTask>): Task => {
  const task = defineTask(...args);
  defined.push(task);
  return task;
};
const scope = { ...combinators, ...over, dag, ...TASKS, defineTask: definer, Type };
const definesTasks = ({ code }: { code: string }): boolean => code.startsWith('const ');

/** Runs an example, which the page has without types: definitions, if any, a blank line and one expression. */
function evaluate(code: string): Composite {
  const parts = code.split('\n\n');
  const body = [...parts.slice(0, -1), `return ${parts.at(-1)}`].join('\n');
  const run = compileFunction(body, Object.keys(scope)) as (...values: unknown[]) => Composite;
  return run(...Object.values(scope));
}

test('the page has an example of each combinator', () => {
  const text = examples.map(({ code }) => code).join();
  for (const name of [...Object.keys(combinators), ...Object.keys(over), 'dag']) {
    assert.match(text, new RegExp(`\\b${name}\\(`), name);
  }
});

for (const { code, what, said } of examples.filter((each) => !definesTasks(each))) {
  test(`${code.split('\n')[0]} ${what} ${said}`, async () => {
    const result = world.result(evaluate(code));
    if (what === 'gives') assert.equal(JSON.stringify(await result), said);
    else await assert.rejects(result, { code: said });
  });
}

const pipeline = examples.find(definesTasks)!;
const work = evaluate(pipeline.code);
const worldOfPipeline = canvasWorld(defined);

test(`the pipeline gives ${pipeline.said}`, async () => {
  assert.equal(JSON.stringify(await worldOfPipeline.result(work)), pipeline.said);
});
