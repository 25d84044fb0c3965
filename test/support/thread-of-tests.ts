/** The worker thread of the application, with the tasks of tests beside the real ones. */
import { registerTasksOfTests } from './tasks-of-tests.ts';

registerTasksOfTests();

export { default } from '../../workers/thread.ts';
