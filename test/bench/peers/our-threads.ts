/**
 * Our jobs through worker threads: the worker of the application, with its log at the default level and its metrics, in
 * front of threads that run either a registered task or a bare handler.
 */
import type { ResolvedConfig } from '../../../base/config.ts';
import { Broker } from '../../../jobs/queue/index.ts';
import { countEvents } from '../../../base/telemetry/metrics.ts';
import { WorkerService } from '../../../workers/main/worker.ts';
import { testConfig } from '../../support/config.ts';
import { BENCH_TASKS } from '../children/bench-tasks.ts';
import { untilSucceeded } from './our-broker.ts';
import { ourTelemetry, tallyJobs } from './our-telemetry.ts';
import { monotonicMs, type Consumer, type Place, type ThreadOptions } from './peer.ts';
import { Tally } from './tally.ts';

const MODULES: Record<ThreadOptions['path'], URL> = {
  bare: new URL('../children/thread-bare.js', import.meta.url),
  task: new URL('../children/thread-task.js', import.meta.url),
};
/** Jobs running in all threads together, as in the row without threads. */
const CONCURRENCY = 50;

export async function runThroughThreads(
  place: Place,
  { threads, path }: ThreadOptions,
): Promise<Consumer> {
  const broker = new Broker({ url: place.url, prefix: place.queue });
  await broker.open();
  const telemetry = ourTelemetry();
  countEvents(telemetry);
  const tally = new Tally();
  let lastId = '';
  telemetry.on((event, fields) => {
    if (event === 'job.succeeded') lastId = (fields as { jobId: string }).jobId;
  });
  tallyJobs(telemetry, tally);
  const worker = new WorkerService({
    config: configure(place, threads),
    broker,
    telemetry,
    tasks: BENCH_TASKS,
    thread: MODULES[path],
  });
  return {
    start: () => worker.start(),
    async settled(jobs) {
      await tally.reached(jobs);
      await untilSucceeded(broker, lastId);
      return monotonicMs();
    },
    async close() {
      await worker.stop();
      broker.close();
    },
  };
}

function configure({ url, queue }: Place, threads: number): ResolvedConfig {
  return testConfig({
    redisUrl: url,
    queuePrefix: queue,
    workerQueues: [queue],
    workerThreads: threads,
    workerConcurrency: Math.ceil(CONCURRENCY / threads),
  });
}
