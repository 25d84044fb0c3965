/**
 * ClickHouse for one test file, with the table of events: an engine of its own, or the server of `TEST_CLICKHOUSE_URL`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectClickhouse, type Clickhouse } from '../../../db/stores/clickhouse.ts';
import { prepareClickhouse } from '../../../db/daodao/events-table.ts';
import { startClickhouse } from '../../../db/embedded/clickhouse/start.ts';

export interface TestClickhouse {
  url: string;
  client: Clickhouse;
  /** Rows of a query with parameters. */
  rows<T>(query: string, parameters?: Record<string, unknown>): Promise<T[]>;
  stop(): Promise<void>;
}

export async function startTestClickhouse(): Promise<TestClickhouse> {
  const { url, stop } = await startServer();
  const client = await connectClickhouse({ clickhouseUrl: url });
  await prepareClickhouse(client);
  return {
    url,
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
      await stop();
    },
  };
}

async function startServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = process.env['TEST_CLICKHOUSE_URL'];
  if (server !== undefined) return { url: server, stop: async () => undefined };
  const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-clickhouse-'));
  const engine = await startClickhouse({ dataDir });
  return {
    url: engine.url,
    async stop() {
      await engine.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}
