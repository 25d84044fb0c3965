/** Prepares the stores: tables, collections and, on request, the read model and the seed. */
import type { ResolvedConfig } from '../base/config.ts';
import { connectClickhouse } from '../db/stores/clickhouse.ts';
import { prepareClickhouse } from '../db/daodao/events-table.ts';
import { assertTrial, migrate } from '../db/stores/migrate.ts';
import { createPool } from '../db/stores/postgres.ts';
import { seed, seedEvents } from '../db/seed/seed.ts';
import { connectVectors } from '../db/stores/qdrant.ts';
import { embeddingModelOf, prepareVectors } from '../db/daodao/vector-collections.ts';

export interface PrepareOptions {
  /** Also creates DaoDao's tables. Never in production, where the product owns them. */
  readModel: boolean;
}

/** Idempotent, and safe in concurrent processes. @returns the applied migrations. */
export async function prepareStores(
  config: ResolvedConfig,
  { readModel }: PrepareOptions,
): Promise<string[]> {
  const clickhouse = await connectClickhouse(config);
  try {
    const vectors = await connectVectors(config);
    const [applied] = await Promise.all([
      migrate(config.databaseUrl, readModel ? ['daodao', 'ai'] : ['ai']),
      prepareClickhouse(clickhouse),
      prepareVectors(vectors, embeddingModelOf(config)),
    ]);
    return applied;
  } finally {
    await clickhouse.close();
  }
}

/**
 * Existing rows stay unchanged.
 * @param options.events seeds ClickHouse too. Default true.
 * @throws {MigrationError} when DaoDao's tables are missing or belong to the product: seed data must not mix with real
 * data.
 */
export async function seedStores(config: ResolvedConfig, { events = true } = {}): Promise<void> {
  const pool = createPool(config.databaseUrl, {
    max: 1,
    name: 'daodao-seed',
    pooler: config.databasePooler,
  });
  const clickhouse = await connectClickhouse(config);
  try {
    await assertTrial(pool);
    await Promise.all([seed(pool), events ? seedEvents(clickhouse) : undefined]);
  } finally {
    await Promise.all([pool.end(), clickhouse.close()]);
  }
}
