/** The worker thread of the application, with the task of the benchmark beside the real ones. */
import { connect } from '../../../jobs/connect-resources.ts';
import { serveThread } from '../../../workers/thread/thread.ts';
import { BENCH_TASKS } from './bench-tasks.ts';

export default serveThread({ tasks: BENCH_TASKS, connect });
