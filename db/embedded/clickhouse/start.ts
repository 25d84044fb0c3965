/**
 * The embedded ClickHouse: the real engine, from the optional package `chdb`, in a child process.
 */
import path from 'node:path';
import { forkEngine, type Engine } from '../host/engine.ts';

/**
 * Starts the engine behind an HTTP interface for `@clickhouse/client`, on the folder `clickhouse` of the data directory,
 * which one engine at a time may use.
 * @throws {Error} that names CLICKHOUSE_URL if `chdb` is not installed.
 */
export function startClickhouse({ dataDir }: { dataDir: string }): Promise<Engine> {
  const folder = path.resolve(dataDir, 'clickhouse');
  return forkEngine('clickhouse', new URL('./server.js', import.meta.url), { folder });
}
