/**
 * A real worker with its threads on a queue of its own, and everything it tells.
 */
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { ResolvedConfig } from '../../../base/config.ts';
import {
  Broker,
  Control,
  Inspector,
  Producer,
  type WorkerAnswer,
} from '../../../jobs/queue/index.ts';
import { Telemetry, type EventName, type Events } from '../../../base/telemetry/telemetry.ts';
import type { ShutdownKind } from '../../../workers/main/commands.ts';
import { WorkerService } from '../../../workers/main/worker.ts';
import { testConfig } from '../config.ts';
import { HANG_MS, stretched } from '../patience.ts';
import { createTestRedis, type TestRedis } from '../stores/redis.ts';
import { Signals } from '../signals.ts';
import { TASKS_OF_TESTS } from './test-tasks.ts';

const THREAD = new URL('test-thread.js', import.meta.url);

/** For workers whose jobs are all transient. */
export const NO_DATABASE = 'postgres://127.0.0.1:9/none';

export type Told = { [E in EventName]: { event: E } & Events[E] }[EventName];

export interface WorkerBench {
  redis: TestRedis;
  worker: WorkerService;
  broker: Broker;
  inspector: Inspector;
  telemetry: Telemetry;
  told: Signals<Told>;
  /** Ends of the process it was asked for. */
  shutdowns: Signals<ShutdownKind>;
  /** What the worker says to a command. */
  ask(verb: string, args?: unknown): Promise<WorkerAnswer>;
  /** Adds a transient job. @returns its id. */
  add(task: string, payload?: object): Promise<string>;
  /** Resolves once the task of a job wrote this line. */
  said(id: string, message: string): Promise<Told>;
  jobEvent(id: string, event: EventName): Promise<Told>;
  eventsOf(id: string): EventName[];
}

/**
 * A worker on a queue of its own: one thread unless told otherwise, so that jobs are neighbours.
 * @param thread what its threads run. Default: the tasks of the application and those of tests.
 */
export async function openWorker(
  t: TestContext,
  databaseUrl: string,
  overrides: Partial<ResolvedConfig> = {},
  thread = THREAD,
): Promise<WorkerBench> {
  const redis = createTestRedis();
  const config = testConfig({
    databaseUrl,
    redisUrl: redis.url,
    queuePrefix: redis.prefix,
    leaseMs: stretched(1500),
    workerThreads: 1,
    workerConcurrency: 8,
    shutdownGraceMs: 0,
    ...overrides,
  });
  const broker = new Broker({ url: redis.url, prefix: redis.prefix });
  await broker.open();
  const telemetry = new Telemetry();
  const told = new Signals<Told>();
  telemetry.on((event, fields) => told.note({ event, ...fields } as unknown as Told));
  const shutdowns = new Signals<ShutdownKind>();
  const worker = new WorkerService({
    config,
    broker,
    telemetry,
    tasks: TASKS_OF_TESTS,
    thread,
    shutdown: (kind) => shutdowns.note(kind),
  });
  await worker.start();
  t.after(async () => {
    await worker.stop();
    broker.close();
    await redis.clear();
  });
  const producer = new Producer(broker);
  const isOf = (id: string) => (one: Told) => 'jobId' in one && one.jobId === id;
  return {
    redis,
    worker,
    broker,
    inspector: new Inspector(broker),
    telemetry,
    told,
    shutdowns,
    async ask(verb, args = {}) {
      const answers = await new Control(broker).broadcast(verb, args, { timeoutMs: HANG_MS });
      return answers[0]!;
    },
    async add(task, payload = {}) {
      const id = randomUUID();
      const text = JSON.stringify(payload);
      await producer.enqueue({ id, task: `test.${task}`, queue: 'default', payload: text });
      return id;
    },
    said: (id, message) =>
      told.first((one) => one.event === 'job.log' && isOf(id)(one) && one.message === message),
    jobEvent: (id, event) => told.first((one) => one.event === event && isOf(id)(one)),
    eventsOf: (id) => told.seen.filter(isOf(id)).map(({ event }) => event),
  };
}

/** Waits until the queue has heard of an end. */
export async function stateOf({ inspector }: WorkerBench, id: string, state: string) {
  for (;;) {
    const status = await inspector.status(id);
    if (status.state === state) return status;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
