/** Required and optional dependencies of a process. */
import type { ResolvedConfig } from '../../base/config.ts';
import type { Watchdog } from '../../base/watchdog.ts';
import type { Cache } from '../../db/stores/cache.ts';
import type { Pool } from '../../db/stores/postgres.ts';
import { STORES } from '../../db/stores/stores.ts';
import type { Dependency } from './dependencies.ts';

/** Store timeout, in milliseconds. */
const PROBE_MS = 5000;

/** Accepting tasks needs only Postgres; without other stores they finish later, or with reduced quality. */
export function dependenciesOf(
  config: ResolvedConfig,
  { db, cache }: { db: Pool; cache: Cache },
  watchdogs: ReadonlyMap<string, Watchdog>,
): Dependency[] {
  // Reuses open connections.
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

/** In role `all`, the API still accepts tasks while its own worker is stuck. */
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
