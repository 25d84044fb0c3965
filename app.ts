/**
 * What a process consists of: the services of its role, on stores that are already there.
 */
import type { Dependency } from './api/context.ts';
import { ApiService } from './api/service.ts';
import type { ResolvedConfig } from './config.ts';
import { Cache } from './db/cache.ts';
import { createClickhouse, type Clickhouse } from './db/clickhouse.ts';
import { createPool, type Pool } from './db/postgres.ts';
import { createVectors } from './db/vectors.ts';
import { createTaskClient } from './jobs/client.ts';
import { Broker, Inspector, Producer } from './jobs/queue/index.ts';
import { TaskWaiter } from './jobs/waiter.ts';
import { createReconciler } from './scheduler/reconciler.ts';
import { startAll, stopAll, type Service } from './service.ts';
import { countEvents, type Telemetry } from './telemetry.ts';
import type { ShutdownKind } from './workers/commands.ts';
import { WorkerService } from './workers/worker.ts';

export interface App {
  /** Where the API listens; undefined without one. */
  origin: string | undefined;
  /** Gives back at once what workers hold, though it still runs. Takes about a second at most. */
  abandon(): Promise<void>;
  /** Drains and stops everything, then closes the connections. Safe to call twice. */
  stop(): Promise<void>;
}

/** The connections of a process; its worker threads have their own. */
interface Connections {
  db: Pool;
  broker: Broker;
  cache: Cache;
  clickhouse: Clickhouse;
}

export interface AppOptions {
  /** Ends the process, when an operator asks a worker for it. Default: the worker refuses. */
  shutdown?: ((kind: ShutdownKind) => void) | undefined;
  /** What the threads of a worker run, compiled. Default: the tasks of the application; tests add some of their own. */
  threadModule?: URL | undefined;
}

/** @throws when a store cannot be used or the port is taken; nothing is left running then. */
export async function startApp(
  config: ResolvedConfig,
  telemetry: Telemetry,
  { shutdown, threadModule }: AppOptions = {},
): Promise<App> {
  const { role } = config;
  const connections = connect(config);
  const services: Service[] = [];
  let worker: WorkerService | undefined;
  if (role === 'all' || role === 'worker') {
    const { broker } = connections;
    worker = new WorkerService(config, broker, telemetry, threadModule, shutdown);
    services.push(worker);
  }
  if (role === 'all' || role === 'scheduler') {
    services.push(reconciler(config, telemetry, connections));
  }
  // Last to start and first to stop: nothing is accepted that nobody is there for.
  const api = role === 'all' || role === 'api' ? apiOf(config, telemetry, connections) : undefined;
  if (api !== undefined) services.push(api.waiter, api.server);
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
    origin: api?.server.origin,
    abandon: async () => worker?.abandon(),
    stop: () => (stopping ??= stop()),
  };
}

function connect(config: ResolvedConfig): Connections {
  const { redisUrl: url, queuePrefix: prefix, queueShards: shards, resultTtlMs: ms } = config;
  return {
    db: createPool(config.databaseUrl, { max: 10, name: `daodao-${config.role}` }),
    broker: new Broker({ url, prefix, shards, keep: { ms } }),
    cache: new Cache(url, prefix),
    clickhouse: createClickhouse(config),
  };
}

async function close({ db, broker, cache, clickhouse }: Connections): Promise<void> {
  broker.close();
  cache.close();
  await Promise.all([db.end(), clickhouse.close()]);
}

function reconciler(
  { leaseMs }: ResolvedConfig,
  telemetry: Telemetry,
  { db, broker }: Connections,
): Service {
  const producer = new Producer(broker);
  const inspector = new Inspector(broker);
  return createReconciler({ db, producer, inspector, telemetry, leaseMs });
}

function apiOf(
  config: ResolvedConfig,
  telemetry: Telemetry,
  connections: Connections,
): { server: ApiService; waiter: TaskWaiter } {
  const { db, broker, cache } = connections;
  const waiter = new TaskWaiter(db, broker, (error) =>
    telemetry.emit('loop.failed', { loop: 'task waiter', error }),
  );
  const queues = config.workerQueues;
  const tasks = createTaskClient({ db, broker, waiter, telemetry, queues });
  const readiness = dependencies(config, connections);
  const metrics = countEvents(telemetry);
  const server = new ApiService({ config, db, tasks, cache, telemetry, metrics, readiness });
  return { server, waiter };
}

/** Only Postgres is needed to accept work; without the others it is done later, or less well. */
function dependencies(
  config: ResolvedConfig,
  { db, cache, clickhouse }: Connections,
): Dependency[] {
  const vectors = createVectors(config);
  return [
    { name: 'postgres', needed: true, check: async () => void (await db.query('SELECT 1')) },
    { name: 'redis', needed: false, check: () => cache.ping() },
    {
      name: 'clickhouse',
      needed: false,
      check: async () => {
        const pong = await clickhouse.ping();
        if (!pong.success) throw pong.error;
      },
    },
    { name: 'vectors', needed: false, check: async () => void (await vectors.getCollections()) },
  ];
}
