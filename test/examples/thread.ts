/** The worker thread of the application, with the tasks of the examples beside the real ones. */
import { register } from '../support/tasks-of-tests.ts';
import { EXAMPLE_TASKS } from './tasks/index.ts';

for (const task of EXAMPLE_TASKS) register(task);

export { default } from '../../workers/thread.ts';
