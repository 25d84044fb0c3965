/**
 * The examples of docs/tasks.md do what they say.
 */
import { after, before, test } from 'node:test';
import { openStack, type Stack } from '../support/stack.ts';
import { register } from '../support/tasks-of-tests.ts';
import EXAMPLES, { EXAMPLE_TASKS } from './tasks/index.ts';

let stack: Stack;

before(async () => {
  for (const task of EXAMPLE_TASKS) register(task);
  stack = await openStack(new URL('thread.js', import.meta.url));
});
after(() => stack.close());

for (const [name, example] of Object.entries(EXAMPLES)) {
  test(name, () => example.run(stack));
}
