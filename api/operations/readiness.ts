/** What a process needs to be of use, and what it can do without. */
import type { ResolvedConfig } from '../../base/config.ts';
import type { Watchdog } from '../../base/watchdog.ts';
import type { Cache } from '../../db/stores/cache.ts';
import type { Pool } from '../../db/stores/postgres.ts';
import { STORES } from '../../db/stores/stores.ts';
import type { Dependency } from './dependencies.ts';

/** Longest wait for a store, in milliseconds. */
const PROBE_MS = 5000;

/** Only Postgres is needed to accept work; without the others it is done later, or less well. */
export function dependenciesOf(
  config: ResolvedConfig,
  { db, cache }: { db: Pool; cache: Cache },
  watchdogs: ReadonlyMap<string, Watchdog>,
): Dependency[] {
  // On the connections that are open anyway.
  const checks: Record<string, () => Promise<void>> = {
    postgres: async () => void (await db.query('SELECT 1')),
    redis: () => cache.ping(),
  };
  return [
    ...STORES.map((store) => ({
      name: store.engine,
      needed: store.engine === 'postgres',
      check: checks[store.engine] ?? (() => store.probe(config, AbortSignal.timeout(PROBE_MS))),
    })),
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
