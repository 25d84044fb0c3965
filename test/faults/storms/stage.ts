/**
 * The application in processes of its own, which a storm may kill, on stores that it may disturb.
 */
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Pool } from '../../../db/stores/postgres.ts';
import { createTaskClient, type TaskClient } from '../../../jobs/framework/calls/client.ts';
import { Broker, Control, Inspector } from '../../../jobs/queue/index.ts';
import { TaskWaiter } from '../../../jobs/framework/calls/waiter.ts';
import { Telemetry } from '../../../base/telemetry/telemetry.ts';
import { atEnd } from '../../support/at-end.ts';
import { TASKS_OF_TESTS } from '../../support/threads/test-tasks.ts';
import { testConfig } from '../../support/config.ts';
import { createTestDatabase } from '../../support/stores/postgres.ts';
import { environmentOf, run, type Run } from '../../support/app/process.ts';
import { createTestRedis } from '../../support/stores/redis.ts';
import { workerLog } from '../../support/threads/worker-processes.ts';
import { installLedger } from './work/ledger.ts';

export interface StageOptions {
  redisUrl: string;
  databaseUrl: string;
  /** Of the test itself, on a way that no fault reaches. */
  db: Pool;
  leaseMs: number;
  /** Whether a worker that ends is replaced at once. Default true. */
  replaces?: boolean | undefined;
}

export interface StormWorker {
  run: Run;
  pid: number;
  /** Resolves once it takes jobs, or has ended before. */
  ready: Promise<unknown>;
  isReady: boolean;
  hasEnded: boolean;
}

export interface Stage {
  prefix: string;
  db: Pool;
  client: TaskClient;
  broker: Broker;
  control: Control;
  inspector: Inspector;
  /** The file of the tasks. */
  file: string;
  /** Those that have not ended. */
  workers: StormWorker[];
  /** Starts a worker. */
  startWorker(): StormWorker;
  startScheduler(): Promise<Run>;
}

/** On a database and a queue of its own, on the servers of all tests. */
export async function openStageOnSharedStores(
  t: TestContext,
  options: Pick<StageOptions, 'leaseMs' | 'replaces'>,
): Promise<Stage> {
  const database = await createTestDatabase();
  const redis = createTestRedis();
  atEnd(t, async () => {
    await redis.clear();
    await database.drop();
  });
  return openStage(t, {
    redisUrl: redis.url,
    databaseUrl: database.url,
    db: database.pool,
    ...options,
  });
}

export async function openStage(t: TestContext, options: StageOptions): Promise<Stage> {
  const { redisUrl, databaseUrl, db, leaseMs, replaces = true } = options;
  await installLedger(db);
  const prefix = `storm-${randomUUID().slice(0, 8)}`;
  const config = testConfig({ redisUrl, databaseUrl, queuePrefix: prefix, leaseMs });
  const { file } = workerLog(t);
  const env = {
    ...environmentOf(config),
    MARKS_FILE: file,
    WORKER_THREADS: '2',
    WORKER_CONCURRENCY: '8',
    LOG_LEVEL: 'info',
  };
  const broker = new Broker({ url: redisUrl, prefix });
  await broker.open();
  const telemetry = new Telemetry();
  const waiter = new TaskWaiter(db, broker, () => undefined);
  const client = createTaskClient({
    db,
    broker,
    waiter,
    telemetry,
    tasks: TASKS_OF_TESTS,
    queues: config.workerQueues,
  });
  const workers: StormWorker[] = [];
  let isOver = false;
  const start = (role: string): Run =>
    run(t, 'test/support/threads/worker-main.js', { ...env, ROLE: role });
  const startWorker = (): StormWorker => {
    const process = start('worker');
    const worker: StormWorker = {
      run: process,
      pid: process.child.pid!,
      isReady: false,
      hasEnded: false,
      ready: Promise.race([process.wrote(/process\.started/), process.ended]).then(
        () => (worker.isReady = !worker.hasEnded),
      ),
    };
    workers.push(worker);
    void process.ended.then(() => {
      worker.hasEnded = true;
      worker.isReady = false;
      workers.splice(workers.indexOf(worker), 1);
      if (replaces && !isOver) startWorker();
    });
    return worker;
  };
  atEnd(t, async () => {
    isOver = true;
    for (const { run: process } of workers) process.child.kill('SIGKILL');
    await Promise.all(workers.map(({ run: process }) => process.ended));
    broker.close();
  });
  return {
    prefix,
    db,
    client,
    broker,
    control: new Control(broker),
    inspector: new Inspector(broker),
    file,
    workers,
    startWorker,
    async startScheduler() {
      const scheduler = start('scheduler');
      await scheduler.wrote(/process\.started/);
      return scheduler;
    },
  };
}
