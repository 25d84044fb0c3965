/** What commands work on: the engines of a running process, configured stores, or embedded engines started for them. */
import { loadConfig, type ResolvedConfig } from '../base/config.ts';
import { attachToRunning, resolveConfig } from '../db/embedded/engines.ts';
import { createPool, type Pool } from '../db/stores/postgres.ts';
import { checkStores } from '../db/stores/reachable.ts';
import { Broker, Control, Inspector } from '../jobs/queue/index.ts';
import { say } from './output.ts';

/** Runs on the engines of a running process, on configured stores, or on embedded engines started for it. */
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
  /** Connected to by the first query: most commands need Redis alone. @throws when there is no Postgres. */
  db(): Pool;
}

/**
 * Runs on the queue of a running process or of `REDIS_URL`. Nothing is started for it: an engine without a process has
 * nobody to command.
 * @param options.needsRedis whether nothing is done while Redis is unavailable. Default true.
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
      `There is no queue to ask: no process runs embedded engines on ${config.dataDir}, and REDIS_URL is not set.`,
    );
  }
  const broker = new Broker({ url, prefix: config.queuePrefix, shards: config.queueShards });
  let pool: Pool | undefined;
  const db = (): Pool => {
    const databaseUrl = config.databaseUrl ?? running?.databaseUrl;
    if (databaseUrl === undefined) throw new Error('This needs Postgres: DATABASE_URL is not set.');
    return (pool ??= createPool(databaseUrl, { max: 2, name: 'daodao-cli' }));
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
