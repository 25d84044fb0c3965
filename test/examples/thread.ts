/** A worker thread that knows the tasks of the examples. */
import { serveThread } from '../../workers/thread/thread.ts';
import { EXAMPLE_TASKS } from './tasks/index.ts';

export default serveThread({ tasks: EXAMPLE_TASKS, connect: () => ({}) });
