/**
 * The embedded ClickHouse: the real engine, from the optional package `chdb`, in a child process behind an HTTP interface
 * for `@clickhouse/client`. One engine at a time may use its folder, `<dataDir>/clickhouse`.
 */
import path from 'node:path';
import { forkEngine, type Engine } from '../host/engine.ts';

/** @throws {Error} that names CLICKHOUSE_URL if `chdb` is not installed. */
export function startClickhouse({ dataDir }: { dataDir: string }): Promise<Engine> {
  const folder = path.resolve(dataDir, 'clickhouse');
  return forkEngine('clickhouse', new URL('./server.js', import.meta.url), { folder });
}
