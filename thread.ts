/** Entry point of the application's worker threads. */
import { connect } from './jobs/connect-resources.ts';
import { TASKS } from './jobs/tasks.ts';
import { serveThread } from './workers/thread/thread.ts';

export default serveThread({ tasks: TASKS, connect });
