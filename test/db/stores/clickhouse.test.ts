import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectClickhouse, type Clickhouse } from '../../../db/stores/clickhouse.ts';
import { prepareClickhouse } from '../../../db/daodao/events-table.ts';
import { startClickhouse } from '../../../db/embedded/clickhouse/start.ts';
import type { Engine } from '../../../db/embedded/host/engine.ts';

describe('the table of behaviour events', () => {
  let dataDir: string;
  let engine: Engine;
  let client: Clickhouse;

  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'clickhouse-'));
    engine = await startClickhouse({ dataDir });
    client = await connectClickhouse({ clickhouseUrl: engine.url });
    await prepareClickhouse(client);
    await prepareClickhouse(client);
  });

  after(async () => {
    await client.close();
    await engine.stop();
    await rm(dataDir, { recursive: true });
  });

  const event = {
    event_id: randomUUID(),
    user_id: randomUUID(),
    event_type: 'time_spent',
    entity_type: 'practice',
    entity_id: randomUUID(),
    page: null,
    duration_ms: 1000,
    value: null,
    match_reason: 'tag_match',
    occurred_at: new Date(Date.now() - 60_000).toISOString(),
    received_at: new Date(Date.now() - 59_000).toISOString(),
  };

  async function insert(...values: object[]): Promise<void> {
    await client.insert({ table: 'daodao.user_events', values, format: 'JSONEachRow' });
  }

  async function rows(query: string, parameters: Record<string, unknown>): Promise<unknown[]> {
    const answer = await client.query({
      query,
      query_params: parameters,
      format: 'JSONEachRow',
    });
    return answer.json();
  }

  it('shows an event that arrived twice once, as it was received last', async () => {
    await insert(event);
    await insert({ ...event, duration_ms: 2500, received_at: new Date().toISOString() });
    const query = `SELECT duration_ms, page, match_reason FROM daodao.user_events FINAL
                   WHERE user_id = {user: String}`;
    assert.deepEqual(await rows(query, { user: event.user_id }), [
      { duration_ms: 2500, page: null, match_reason: 'tag_match' },
    ]);
  });

  it('keeps events of one moment apart by their ids', async () => {
    const user = randomUUID();
    const events = Array.from({ length: 50 }, () => ({
      ...event,
      user_id: user,
      event_id: randomUUID(),
    }));
    await insert(...events, ...events);
    const query = `SELECT toUInt32(count()) AS count FROM daodao.user_events FINAL
                   WHERE user_id = {user: String}`;
    assert.deepEqual(await rows(query, { user }), [{ count: 50 }]);
  });
});
