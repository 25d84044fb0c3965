/**
 * Everything a task needs to run, in this process: a database, a queue, a worker with its threads, a reconciler and a client.
 */
import { createTaskClient, type TaskClient } from '../../../jobs/framework/calls/client.ts';
import { Broker, Inspector, Producer } from '../../../jobs/queue/index.ts';
import type { Tasks } from '../../../jobs/framework/tasks.ts';
import { TaskWaiter } from '../../../jobs/framework/calls/waiter.ts';
import { createReconciler } from '../../../scheduler/reconciler.ts';
import { startAll, stopAll } from '../../../base/service.ts';
import { Telemetry } from '../../../base/telemetry/telemetry.ts';
import { WorkerService } from '../../../workers/main/worker.ts';
import { testConfig } from '../config.ts';
import type { Pool } from '../../../db/stores/postgres.ts';
import { createTestDatabase } from '../stores/postgres.ts';
import { createTestRedis } from '../stores/redis.ts';

export interface Stack {
  client: TaskClient;
  broker: Broker;
  db: Pool;
  close(): Promise<void>;
}

/** @param thread what the worker's threads run: these tasks. */
export async function openStack(tasks: Tasks, thread: URL): Promise<Stack> {
  const database = await createTestDatabase();
  const redis = createTestRedis();
  const config = testConfig({
    databaseUrl: database.url,
    redisUrl: redis.url,
    queuePrefix: redis.prefix,
  });
  const broker = new Broker({ url: redis.url, prefix: redis.prefix });
  const db = database.pool;
  const telemetry = new Telemetry();
  const producer = new Producer(broker);
  const inspector = new Inspector(broker);
  const waiter = new TaskWaiter(db, broker, () => undefined);
  const services = [
    new WorkerService({ config, broker, telemetry, tasks, thread }),
    createReconciler({ db, producer, inspector, telemetry, leaseMs: config.leaseMs }),
    waiter,
  ];
  await broker.open();
  await startAll(services);
  const queues = config.workerQueues;
  const client = createTaskClient({ db, broker, waiter, telemetry, tasks, queues });
  return {
    client,
    broker,
    db,
    async close() {
      await stopAll(services);
      broker.close();
      await redis.clear();
      await database.drop();
    },
  };
}
