/** The worker thread of the application, with the task of the benchmark beside the real ones. */
import { registerBenchTask } from './bench-tasks.ts';

registerBenchTask();

export { default } from '../../../workers/thread.ts';
