/** Composes a process: the services of its role, on existing stores. */
import type { Registry } from 'prom-client';
import { KEPT_PER_PERSON, Limits } from './api/limits.ts';
import { Backlog } from './api/operations/backlog.ts';
import type { OperationsDependencies } from './api/operations/dependencies.ts';
import { HttpService } from './api/http/service.ts';
import { apiService, operationsService } from './api/services.ts';
import type { ResolvedConfig } from './base/config.ts';
import { Cache } from './db/stores/cache.ts';
import { connectClickhouse, type Clickhouse } from './db/stores/clickhouse.ts';
import { forwardEvents, measureOutbox, pruneEvents } from './db/daodao/events.ts';
import { createPool, type Pool } from './db/stores/postgres.ts';
import { ScheduleBook } from './jobs/framework/beat/book.ts';
import type { Schedule } from './jobs/framework/beat/schedule.ts';
import { createTaskClient } from './jobs/framework/calls/client.ts';
import { Broker, Control, Inspector, Producer } from './jobs/queue/index.ts';
import type { Tasks } from './jobs/framework/tasks.ts';
import { SCHEDULES } from './jobs/schedules.ts';
import { Enqueuer } from './jobs/framework/calls/enqueue.ts';
import { TASKS } from './jobs/tasks.ts';
import { TaskWaiter } from './jobs/framework/calls/waiter.ts';
import { dependenciesOf } from './api/operations/readiness.ts';
import { createBeat, type BeatOptions } from './scheduler/beat.ts';
import { createEventForwarder } from './scheduler/event-forwarder.ts';
import { createPruning } from './scheduler/pruning.ts';
import { createGraphLoop } from './scheduler/graphs.ts';
import { createReconciler } from './scheduler/reconciler.ts';
import { startAll, stopAll, type Loop, type Service } from './base/service.ts';
import { countEvents } from './base/telemetry/metrics.ts';
import type { Telemetry } from './base/telemetry/telemetry.ts';
import { Watchdog, type Watched } from './base/watchdog.ts';
import type { ShutdownKind } from './workers/main/commands.ts';
import { WorkerService } from './workers/main/worker.ts';

export interface App {
  /** URL of the HTTP server; undefined without one. */
  origin: string | undefined;
  /** Returns all jobs of its worker to the queue at once, even running ones. Takes about a second at most. */
  abandon(): Promise<void>;
  /** Whether a thread that was told to end still runs: `process.exit` would wait for it. */
  isStuck(): boolean;
  /** Drains and stops all services, then closes the connections. Safe to call twice. */
  stop(): Promise<void>;
}

/** Connections of the main thread; worker threads have their own. */
interface Connections {
  db: Pool;
  reader: Pool;
  broker: Broker;
  cache: Cache;
  /** Only with a scheduler, which forwards events to it. */
  clickhouse?: Clickhouse;
}

/** Tasks, thread and schedules default to those of the application. */
export interface AppOptions {
  /** Ends the process when an operator shuts down its worker. Default: the worker refuses. */
  shutdown?: ((kind: ShutdownKind) => void) | undefined;
  /** Ends the process, when a thread of a worker cannot be ended. */
  stuck?: (() => void) | undefined;
  tasks?: Tasks | undefined;
  /** Compiled entry point of worker threads. */
  thread?: URL | undefined;
  schedules?: readonly Schedule[] | undefined;
}

const THREAD = new URL('thread.js', import.meta.url);

/** @throws if a store is unusable or the port is taken; nothing keeps running then. */
export async function startApp(
  config: ResolvedConfig,
  telemetry: Telemetry,
  { shutdown, stuck, tasks = TASKS, thread = THREAD, schedules = SCHEDULES }: AppOptions = {},
): Promise<App> {
  const { role } = config;
  const connections = connect(config);
  const { db, broker, cache } = connections;
  const services: Service[] = [];
  const metrics = countEvents(telemetry);
  const watchdogs = new Map<string, Watchdog>();
  const watch = (name: string, watched: Watched): void => {
    const watchdog = new Watchdog(watched);
    watchdogs.set(name, watchdog);
    services.push(watchdog);
  };
  const kept = {
    db,
    enqueuer: enqueuerOf(config, telemetry, tasks, connections),
    schedules,
    telemetry,
  };
  let worker: WorkerService | undefined;
  if (role === 'all' || role === 'worker') {
    worker = new WorkerService({ config, broker, telemetry, tasks, thread, shutdown, stuck });
    const { consumer } = worker;
    services.push(worker);
    watch('consumer', { silentMs: () => consumer.silentMs, ping: () => cache.ping() });
  }
  if (role === 'all' || role === 'scheduler') {
    const clickhouse = (connections.clickhouse = await connectClickhouse(config));
    const stores = { ...connections, clickhouse };
    const { reconciler, others } = schedulerOf(config, kept, metrics, stores);
    services.push(reconciler, ...others);
    watch('reconciler', {
      silentMs: () => reconciler.silentMs,
      ping: () => Promise.all([db.query('SELECT 1'), cache.ping()]),
    });
    if (config.schedules === 'on') {
      const beat = createBeat(kept);
      services.push(beat);
      watch('beat', { silentMs: () => beat.silentMs, ping: () => db.query('SELECT 1') });
    }
  }
  const operations: OperationsDependencies = {
    config,
    telemetry,
    metrics,
    readiness: dependenciesOf(config, connections, watchdogs),
    isStuck: () => [...watchdogs.values()].some((watchdog) => watchdog.isStuck),
  };
  // Starts last and stops first: the API accepts no work while other services are down.
  const http = httpOf(operations, tasks, new ScheduleBook(kept), connections);
  services.push(...http);
  const server = http.find((service) => service instanceof HttpService);
  try {
    await connections.broker.open();
    await startAll(services);
  } catch (error) {
    await close(connections);
    throw error;
  }
  const stop = async (): Promise<void> => {
    try {
      await stopAll(services);
    } finally {
      await close(connections);
    }
  };
  let stopping: Promise<void> | undefined;
  return {
    origin: server?.origin,
    abandon: async () => worker?.abandon(),
    isStuck: () => worker?.isStuck ?? false,
    stop: () => (stopping ??= stop()),
  };
}

function connect(config: ResolvedConfig): Connections {
  const { redisUrl: url, queuePrefix: prefix, queueShards: shards, resultTtlMs: ms } = config;
  const keepFailed = { count: config.deadLettersMax, ms: config.deadLetterTtlMs };
  const pool = { max: 10, name: `daodao-${config.role}`, pooler: config.databasePooler };
  return {
    db: createPool(config.databaseUrl, pool),
    // Each session lives for a minute, as its plans do. A pooler would need a transaction for each read, and keep no plans.
    reader: createPool(config.databaseUrl, {
      ...pool,
      readOnly: pool.pooler === 'none',
      plans: 'generic',
    }),
    broker: new Broker({ url, prefix, shards, keep: { ms }, keepFailed }),
    cache: new Cache(url, prefix),
  };
}

async function close({ db, reader, broker, cache, clickhouse }: Connections): Promise<void> {
  broker.close();
  cache.close();
  await Promise.all([db.end(), reader.end(), clickhouse?.close()]);
}

function schedulerOf(
  { leaseMs, taskRetentionMs: retentionMs }: ResolvedConfig,
  { schedules, telemetry }: Pick<BeatOptions, 'schedules' | 'telemetry'>,
  metrics: Registry,
  { db, broker, clickhouse }: Required<Connections>,
): { reconciler: Loop; others: Loop[] } {
  const producer = new Producer(broker);
  const inspector = new Inspector(broker);
  const names = schedules.map(({ name }) => name);
  return {
    reconciler: createReconciler({ db, producer, inspector, telemetry, leaseMs }),
    others: [
      createGraphLoop({ db, producer, control: new Control(broker), telemetry }),
      createPruning({
        db,
        keep: { ms: retentionMs, perPerson: KEPT_PER_PERSON },
        schedules: names,
        pruneMore: (limit) => pruneEvents(db, limit),
        telemetry,
      }),
      createEventForwarder({
        outbox: {
          measure: (most) => measureOutbox(db, most),
          forward: (limit) => forwardEvents(db, clickhouse, limit),
        },
        telemetry,
        metrics,
      }),
    ],
  };
}

function enqueuerOf(
  { workerQueues: queues }: ResolvedConfig,
  telemetry: Telemetry,
  tasks: Tasks,
  { db, broker }: Connections,
): Enqueuer {
  const deferred = (taskId: string, error: unknown): void =>
    telemetry.emit('task.dispatch_deferred', { taskId, error });
  return new Enqueuer({ db, broker, tasks, queues, deferred });
}

/** The API with its dependencies; in other roles the operations endpoints, if a port is set. */
function httpOf(
  operations: OperationsDependencies,
  known: Tasks,
  schedules: ScheduleBook,
  { db, reader, broker, cache }: Connections,
): Service[] {
  const { config, telemetry } = operations;
  const { role, operationsPort, workerQueues: queues } = config;
  if (role !== 'all' && role !== 'api') {
    return operationsPort === undefined ? [] : [operationsService(operations, operationsPort)];
  }
  const failed = (loop: string) => (error: unknown) =>
    telemetry.emit('loop.failed', { loop, error });
  const waiter = new TaskWaiter(db, broker, failed('task waiter'));
  const room = { tasks: config.backlogMaxRows, ageMs: config.backlogMaxAgeMs };
  const backlog = new Backlog(db, room, failed('backlog'));
  backlog.register(operations.metrics);
  const countUnsent = async (most: number) => (await measureOutbox(db, most)).events;
  const limits = new Limits(config, countUnsent, failed('limits'));
  const tasks = createTaskClient({ db, broker, waiter, telemetry, tasks: known, queues });
  const stores = { db, reader, cache, tasks, schedules };
  return [waiter, backlog, limits, apiService({ ...operations, ...stores, backlog, limits })];
}
