/** All examples of tasks: what they are called, the tasks they define, and what they do. */
import type { Task } from '../../../jobs/framework/define.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import type { Stack } from '../../support/threads/stack.ts';
import * as isolated from './isolated.ts';
import * as limits from './limits.ts';
import * as many from './many.ts';
import * as now from './now.ts';
import * as operate from './operate.ts';
import * as options from './options.ts';
import * as progress from './progress.ts';
import * as remote from './remote.ts';
import * as retries from './retries.ts';
import * as steps from './steps.ts';
import * as testing from './testing.ts';
import * as transaction from './transaction.ts';
import * as unique from './unique.ts';

interface Example {
  readonly tasks: readonly Task[];
  run(stack: Stack): Promise<void>;
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  now,
  options,
  many,
  retries,
  limits,
  unique,
  steps,
  progress,
  isolated,
  operate,
  remote,
  testing,
  transaction,
};
export default EXAMPLES;

export const EXAMPLE_TASKS = new Tasks(Object.values(EXAMPLES).flatMap(({ tasks }) => tasks));
