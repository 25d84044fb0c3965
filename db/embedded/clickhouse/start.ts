/**
 * The ClickHouse engine for local use: the real one, from the optional package `chdb`, in a process of its own.
 */
import path from 'node:path';
import { forkEngine, type Engine } from '../host/engine.ts';

export interface ClickhouseOptions {
  /** Folder of all embedded data; the engine takes `clickhouse` in it. One engine at a time. */
  dataDir: string;
}

/**
 * Starts the engine behind an HTTP interface that `@clickhouse/client` takes for a server.
 * @throws {Error} that names CLICKHOUSE_URL when `chdb` is not installed.
 */
export async function startClickhouse({ dataDir }: ClickhouseOptions): Promise<Engine> {
  return forkEngine({
    name: 'clickhouse',
    module: new URL('./server.js', import.meta.url),
    options: { folder: path.resolve(dataDir, 'clickhouse') },
  });
}
