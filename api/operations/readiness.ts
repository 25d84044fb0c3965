/**
 * What a process needs to be of use, and what it can do without.
 */
import type { Dependency } from './dependencies.ts';
import type { ResolvedConfig } from '../../base/config.ts';
import type { Cache } from '../../db/stores/cache.ts';
import type { Clickhouse } from '../../db/stores/clickhouse.ts';
import type { Pool } from '../../db/stores/postgres.ts';
import { createVectors } from '../../db/stores/qdrant.ts';
import type { Watchdog } from '../../base/watchdog.ts';

/** Only Postgres is needed to accept work; without the others it is done later, or less well. */
export function dependenciesOf(
  config: ResolvedConfig,
  { db, cache, clickhouse }: { db: Pool; cache: Cache; clickhouse: Clickhouse },
  watchdogs: ReadonlyMap<string, Watchdog>,
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
    ...Array.from(watchdogs, ([name, watchdog]) => working(name, watchdog, config)),
  ];
}

/** The API of a process that also works accepts all the same when its own worker does not get on. */
function working(name: string, watchdog: Watchdog, { role }: ResolvedConfig): Dependency {
  return {
    name,
    needed: role !== 'all',
    async check() {
      if (!watchdog.isWorking)
        throw Object.assign(new Error(`${name} is silent`), { code: 'SILENT' });
    },
  };
}
