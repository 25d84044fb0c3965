/** A worker thread: owns its clients and runs batches of jobs. piscina loads it from the compiled output. */
import { BroadcastChannel, parentPort, threadId } from 'node:worker_threads';
import { workerData } from 'piscina';
import type { ResolvedConfig } from '../../base/config.ts';
import { messageOf } from '../../base/thrown.ts';
import { createPool } from '../../db/stores/postgres.ts';
import type { Task } from '../../jobs/framework/define.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import { Broker } from '../../jobs/queue/index.ts';
import { Enqueuer } from '../../jobs/framework/calls/enqueue.ts';
import { Attempt } from './attempt.ts';
import type { ThreadScope } from './context.ts';
import { freezeLanguage } from './frozen.ts';
import { GroupedAttempts } from './grouped-attempts.ts';
import { watchHeap } from './heap-watch.ts';
import { Line } from './line.ts';
import { boundOutput } from './output.ts';
import {
  packMoves,
  unpackBatch,
  type FromThread,
  type ThreadData,
  type ToThread,
} from '../protocol.ts';

export interface ThreadOptions<X> {
  tasks: Tasks<Task<X>>;
  /** Creates what the application adds to `ctx`, once per thread. Each client in it connects on first use. */
  connect(config: ResolvedConfig): X;
}

/** @returns the piscina task. It reports each job as it ends, so a slow one does not hold up its batch. */
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
    begin: (job, stop) => new Attempt(job, scope, stop),
    tell: (moves) => tell({ type: 'moved', text: packMoves(moves) }),
  });

  boundOutput();
  watchHeap(config.workerMaxHeapMb, (mb) => tell({ type: 'heavy', mb }));
  if (config.workerFreezeBuiltins === 'on') freezeLanguage();

  // Not parentPort: piscina treats every message there as its own.
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
    databasePooler: pooler,
    redisUrl: url,
    queuePrefix: prefix,
    queueShards: shards,
    workerQueues: queues,
  }: ResolvedConfig,
  tasks: Tasks,
): Pick<ThreadScope, 'db' | 'attempts' | 'reader' | 'enqueuer'> {
  const name = `daodao-thread-${threadId}`;
  const db = createPool(databaseUrl, { max: 3, name, pooler });
  const reader = createPool(databaseUrl, { max: 2, name, readOnly: true, pooler });
  // Connects when a task first enqueues another.
  const broker = new Broker({ url, prefix, shards });
  const deferred = (taskId: string, error: unknown): void =>
    tell({ type: 'deferred', taskId, error: messageOf(error) });
  const enqueuer = new Enqueuer({ db, broker, tasks, queues, deferred });
  const attempts = new GroupedAttempts(db, (released) => enqueuer.dispatch(released));
  return { db, attempts, reader, enqueuer };
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}
