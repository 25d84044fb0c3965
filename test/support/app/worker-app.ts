/**
 * Worker processes of the application on a queue and a database of their own, and the CLI beside them.
 */
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Broker, Inspector, Producer } from '../../../jobs/queue/index.ts';
import { cliHost, type CliAnswer } from './cli-host.ts';
import { testConfig } from '../config.ts';
import { createTestDatabase, type TestDatabase } from '../stores/postgres.ts';
import { environmentOf, run, type Run } from './process.ts';
import { createTestRedis } from '../stores/redis.ts';
import { request } from '../tasks.ts';
import { workerLog } from '../threads/worker-processes.ts';

export interface WorkerApp {
  env: Record<string, string>;
  database: TestDatabase;
  broker: Broker;
  inspector: Inspector;
  /** Takes a line for every job of a diary that begins or ends: `begun <id> <attempt> <pid>`. */
  diary: { file: string; lines(): string[] };
  /** Resolves once it takes jobs. */
  start(env?: Record<string, string>): Promise<Run>;
  cli(...words: string[]): Promise<CliAnswer>;
  /** Adds a job of a transient task of tests. @returns its id. */
  add(task: string, payload?: object): Promise<string>;
  /** Accepts a durable one in Postgres and hands it to the queue. @returns its id. */
  accept(task: string, payload?: object): Promise<string>;
}

export async function openWorkerApp(t: TestContext, leaseMs = 30_000): Promise<WorkerApp> {
  const database = await createTestDatabase();
  const redis = createTestRedis();
  const config = testConfig({
    databaseUrl: database.url,
    redisUrl: redis.url,
    queuePrefix: redis.prefix,
    leaseMs,
  });
  const broker = new Broker({ url: redis.url, prefix: redis.prefix });
  const runs: Run[] = [];
  const cli = cliHost(t);
  t.after(async () => {
    for (const { child, ended } of runs) {
      child.kill('SIGKILL');
      await ended;
    }
    broker.close();
    await redis.clear();
    await database.drop();
  });
  await broker.open();
  const producer = new Producer(broker);
  const env = {
    ...environmentOf(config),
    ROLE: 'worker',
    WORKER_THREADS: '1',
    LOG_LEVEL: 'debug',
  };
  const enqueue = async (id: string, task: string, payload: string): Promise<string> => {
    await producer.enqueue({ id, task: `test.${task}`, queue: 'default', payload });
    return id;
  };
  return {
    env,
    database,
    broker,
    inspector: new Inspector(broker),
    diary: workerLog(t),
    async start(more = {}) {
      const worker = run(t, 'test/support/threads/worker-main.js', { ...env, ...more });
      runs.push(worker);
      await worker.wrote(/process\.started/);
      return worker;
    },
    cli: (...words) => cli({ env, words }),
    add: (task, payload = {}) => enqueue(randomUUID(), task, JSON.stringify(payload)),
    async accept(task, payload = {}) {
      const text = JSON.stringify(payload);
      const row = request({ name: `test.${task}`, payload: text });
      const { id } = await acceptTask(database.pool, row);
      return enqueue(id, task, text);
    },
  };
}
