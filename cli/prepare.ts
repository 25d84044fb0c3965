/** Makes the stores ready to be used: tables, collections and, where wanted, the read model and the seed. */
import type { ResolvedConfig } from '../base/config.ts';
import { connectClickhouse } from '../db/stores/clickhouse.ts';
import { prepareClickhouse } from '../db/daodao/events-table.ts';
import { assertTrial, migrate } from '../db/stores/migrate.ts';
import { createPool } from '../db/stores/postgres.ts';
import { seed, seedEvents } from '../db/seed/seed.ts';
import { connectVectors } from '../db/stores/qdrant.ts';
import { embeddingModelOf, prepareVectors } from '../db/daodao/vector-collections.ts';

export interface PrepareOptions {
  /** Also create DaoDao's own tables. Never in production, where the product has them. */
  readModel: boolean;
}

/** Idempotent, and safe in any number of processes. @returns the migrations that were applied. */
export async function prepareStores(
  config: ResolvedConfig,
  { readModel }: PrepareOptions,
): Promise<string[]> {
  const clickhouse = await connectClickhouse(config);
  try {
    const [applied] = await Promise.all([
      migrate(config.databaseUrl, readModel ? ['daodao', 'ai'] : ['ai']),
      prepareClickhouse(clickhouse),
      prepareVectors(await connectVectors(config), embeddingModelOf(config)),
    ]);
    return applied;
  } finally {
    await clickhouse.close();
  }
}

/**
 * Loads the seed; what is there already stays as it is.
 * @param options.events whether ClickHouse gets its share too. Default true.
 * @throws {MigrationError} when the tables of people and practices are missing, or the product's own: real data stays free
 * of invented people.
 */
export async function seedStores(config: ResolvedConfig, { events = true } = {}): Promise<void> {
  const pool = createPool(config.databaseUrl, { max: 1, name: 'daodao-seed' });
  const clickhouse = await connectClickhouse(config);
  try {
    await assertTrial(pool);
    await Promise.all([seed(pool), events ? seedEvents(clickhouse) : undefined]);
  } finally {
    await Promise.all([pool.end(), clickhouse.close()]);
  }
}
