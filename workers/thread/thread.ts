/**
 * A worker thread: owns its clients and runs batches of jobs. Loaded by piscina from the compiled output.
 */
import { BroadcastChannel, parentPort, threadId } from 'node:worker_threads';
import { workerData } from 'piscina';
import type { ResolvedConfig } from '../../base/config.ts';
import { messageOf } from '../../base/thrown.ts';
import { createPool } from '../../db/stores/postgres.ts';
import type { Task } from '../../jobs/framework/define.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import { Broker } from '../../jobs/queue/index.ts';
import { Enqueuer } from '../../jobs/framework/calls/enqueue.ts';
import { attempt } from './attempt.ts';
import type { ThreadScope } from './context.ts';
import { freezeLanguage } from './frozen.ts';
import { watchHeap } from './heap-watch.ts';
import { Line } from './line.ts';
import {
  packMoves,
  unpackBatch,
  type FromThread,
  type ThreadData,
  type ToThread,
} from '../protocol.ts';

export interface ThreadOptions<X> {
  tasks: Tasks<Task<X>>;
  /** Makes what the tasks find in their `ctx`, once for the thread: each client in it connects when it is first used. */
  connect(config: ResolvedConfig): X;
}

/** @returns the task of piscina. How each job ends is told as it happens, so that a slow one holds up none of its batch. */
export function serveThread<X>({
  tasks,
  connect,
}: ThreadOptions<X>): (batch: string) => Promise<void> {
  const { config, channel } = workerData as ThreadData;
  const scope: ThreadScope<X> = {
    ...clientsOf(config, tasks),
    tasks,
    resources: connect(config),
    unchargedForMs: config.unchargedForMs,
    tell,
  };

  const line = new Line({
    concurrency: config.workerConcurrency,
    // The soft limit of a task is kept here; the hard one by whoever can end this thread.
    async run(job, stop) {
      const limitMs = tasks.find(job.task)?.softTimeLimitMs;
      if (limitMs !== undefined) stop.start(limitMs);
      try {
        return await attempt(job, scope, stop);
      } finally {
        stop.end();
      }
    },
    tell: (started, ended) => tell({ type: 'moved', text: packMoves({ started, ended }) }),
  });

  watchHeap(config.workerMaxHeapMb, (mb) => tell({ type: 'heavy', mb }));
  if (config.workerFreezeBuiltins === 'on') freezeLanguage();

  // Not parentPort: piscina takes every message there for its own.
  const orders = new BroadcastChannel(channel);
  orders.onmessage = (event) => {
    const order = (event as { data: ToThread }).data;
    if (order.type === 'abort') line.abort(order.ids, order.reason);
    else line.concurrency = order.concurrency;
  };

  return (batch) => {
    const { concurrency, jobs } = unpackBatch(batch);
    line.concurrency = concurrency;
    return line.add(jobs);
  };
}

function clientsOf(
  {
    databaseUrl,
    redisUrl: url,
    queuePrefix: prefix,
    queueShards: shards,
    workerQueues: queues,
  }: ResolvedConfig,
  tasks: Tasks,
): Pick<ThreadScope, 'db' | 'reader' | 'enqueuer'> {
  const name = `daodao-thread-${threadId}`;
  const db = createPool(databaseUrl, { max: 4, name });
  const reader = createPool(databaseUrl, { max: 4, name, readOnly: true });
  // It connects when a task first asks for another one.
  const broker = new Broker({ url, prefix, shards });
  const deferred = (taskId: string, error: unknown): void =>
    tell({ type: 'deferred', taskId, error: messageOf(error) });
  return { db, reader, enqueuer: new Enqueuer({ db, broker, tasks, queues, deferred }) };
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}
