/**
 * A task client on a database and a queue of its own, with tasks to call.
 */
import { after, before } from 'node:test';
import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { createTaskClient, type TaskClient } from '../../jobs/framework/calls/client.ts';
import { Broker, Inspector } from '../../jobs/queue/index.ts';
import { defineTask } from '../../jobs/framework/define.ts';
import { Tasks } from '../../jobs/framework/tasks.ts';
import { TaskWaiter } from '../../jobs/framework/calls/waiter.ts';
import { Telemetry } from '../../base/telemetry/telemetry.ts';
import { createTestDatabase, type TestDatabase } from './stores/postgres.ts';
import { createTestRedis, type TestRedis } from './stores/redis.ts';

const payload = Type.Object({ n: Type.Integer() });
const result = Type.Integer();

export const durable = defineTask({
  name: `test.durable-${randomUUID()}`,
  payload,
  result,
  run: async ({ n }) => n,
});

export const transient = defineTask({
  name: `test.transient-${randomUUID()}`,
  durable: false,
  queue: 'ai_tasks',
  priority: 7,
  payload,
  result,
  run: async ({ n }) => n,
});

export interface TestClient {
  client: TaskClient;
  database: TestDatabase;
  redis: TestRedis;
  broker: Broker;
  inspector: Inspector;
  deferred: string[];
}

/** Opened before the tests of a file, and closed after them. @param tasks default: `durable` and `transient`. */
export function testClient(tasks: Tasks = new Tasks([durable, transient])): TestClient {
  const made = {} as TestClient;
  let waiter: TaskWaiter;
  before(async () => {
    const database = await createTestDatabase();
    const redis = createTestRedis();
    const broker = new Broker({ url: redis.url, prefix: redis.prefix });
    await broker.open();
    const db = database.pool;
    const inspector = new Inspector(broker);
    const telemetry = new Telemetry();
    const deferred: string[] = [];
    telemetry.on((event, fields) => {
      if (event === 'task.dispatch_deferred') deferred.push((fields as { taskId: string }).taskId);
    });
    waiter = new TaskWaiter(db, broker, () => undefined);
    await waiter.start();
    const queues = ['served'];
    const client = createTaskClient({ db, broker, waiter, telemetry, tasks, queues });
    Object.assign(made, { client, database, redis, broker, inspector, deferred });
  });
  after(async () => {
    await waiter.stop();
    made.broker.close();
    await made.redis.clear();
    await made.database.drop();
  });
  return made;
}
