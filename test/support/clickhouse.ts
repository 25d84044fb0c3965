/**
 * A ClickHouse engine for one test file, with the table of events.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClickhouse, prepareClickhouse, type Clickhouse } from '../../db/clickhouse.ts';
import { startClickhouse } from '../../db/embedded/clickhouse.ts';

export interface TestClickhouse {
  url: string;
  client: Clickhouse;
  /** Rows of a query with parameters. */
  rows<T>(query: string, parameters?: Record<string, unknown>): Promise<T[]>;
  stop(): Promise<void>;
}

export async function startTestClickhouse(): Promise<TestClickhouse> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-clickhouse-'));
  const engine = await startClickhouse({ dataDir });
  const client = createClickhouse({ clickhouseUrl: engine.url });
  await prepareClickhouse(client);
  return {
    url: engine.url,
    client,
    async rows<T>(query: string, parameters: Record<string, unknown> = {}) {
      const answer = await client.query({
        query,
        query_params: parameters,
        format: 'JSONEachRow',
      });
      return answer.json<T>();
    },
    async stop() {
      await client.close();
      await engine.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}
