/**
 * The examples of docs/tasks.md do what they say.
 */
import { after, before, test } from 'node:test';
import { openStack, type Stack } from '../support/threads/stack.ts';
import EXAMPLES, { EXAMPLE_TASKS } from './tasks/index.ts';

let stack: Stack;

before(async () => {
  stack = await openStack(EXAMPLE_TASKS, new URL('thread.js', import.meta.url));
});
after(() => stack.close());

for (const [name, example] of Object.entries(EXAMPLES)) {
  test(name, () => example.run(stack));
}
