/** Selects the stores of a command. */
import { loadConfig, type ResolvedConfig } from '../base/config.ts';
import { attachToRunning, resolveConfig } from '../db/embedded/engines.ts';
import { createPool, type Pool } from '../db/stores/postgres.ts';
import { checkStores } from '../db/stores/reachable.ts';
import { Broker, Control, Inspector } from '../jobs/queue/index.ts';
import { say } from './output.ts';

/** Uses the engines of a running process, configured stores, or embedded engines started for the command. */
export async function withStores(
  work: (config: ResolvedConfig, embedded: boolean) => Promise<void>,
): Promise<void> {
  const config = loadConfig();
  const running = await attachToRunning(config);
  if (running !== undefined) return work(running, true);
  const resolved = await resolveConfig(
    config,
    ({ name }) => say(`  ${name} is up`),
    (reason) => say(`  … ${reason}`),
  );
  try {
    await checkStores(resolved.config, resolved.embedded);
    await work(resolved.config, resolved.embedded.includes('postgres'));
  } finally {
    await resolved.stop();
  }
}

export interface QueueStores {
  broker: Broker;
  inspector: Inspector;
  control: Control;
  /** Connects on the first query, as most commands need only Redis. @throws without Postgres. */
  db(): Pool;
}

/**
 * Uses the queue of a running process or of `REDIS_URL`. Starts no engine: without a process there is nothing to
 * control.
 * @param options.needsRedis fails while Redis is unavailable. Default true.
 */
export async function withQueue<T>(
  work: (stores: QueueStores) => Promise<T>,
  { needsRedis = true } = {},
): Promise<T> {
  const config = loadConfig();
  const running = await attachToRunning(config);
  const url = config.redisUrl ?? running?.redisUrl;
  if (url === undefined) {
    throw new Error(
      `There is no queue to use: no process runs embedded engines on ${config.dataDir}, and REDIS_URL is not set.`,
    );
  }
  const broker = new Broker({ url, prefix: config.queuePrefix, shards: config.queueShards });
  let pool: Pool | undefined;
  const db = (): Pool => {
    const databaseUrl = config.databaseUrl ?? running?.databaseUrl;
    if (databaseUrl === undefined) throw new Error('This needs Postgres: DATABASE_URL is not set.');
    return (pool ??= createPool(databaseUrl, {
      max: 2,
      name: 'daodao-cli',
      pooler: config.databasePooler,
    }));
  };
  try {
    if (needsRedis) await broker.open();
    return await work({
      broker,
      inspector: new Inspector(broker),
      control: new Control(broker),
      db,
    });
  } finally {
    broker.close();
    await pool?.end();
  }
}
