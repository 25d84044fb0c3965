/** A worker thread that knows the tasks of tests beside the real ones. */
import { connect } from '../../../jobs/connect-resources.ts';
import { serveThread } from '../../../workers/thread/thread.ts';
import { TASKS_OF_TESTS } from './test-tasks.ts';

export default serveThread({ tasks: TASKS_OF_TESTS, connect });
