import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../../../db/embedded/host/engine.ts';
import { startVectorStore } from '../../../../db/embedded/vectors/start.ts';
import { connectVectors } from '../../../../db/stores/qdrant.ts';
import type { Vectors } from '../../../../db/stores/qdrant.ts';

function connect({ url }: Engine): Promise<Vectors> {
  return connectVectors({ qdrantUrl: url, qdrantApiKey: undefined });
}

describe('what the local vector store keeps', () => {
  let dataDir: string;
  let engine: Engine;
  const logFile = () => path.join(dataDir, 'vectors', 'points.log');

  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'vectors-'));
    engine = await startVectorStore({ dataDir });
    const client = await connect(engine);
    await client.createCollection('kept', { vectors: { size: 2, distance: 'Cosine' } });
    await client.updateCollectionAliases({
      actions: [{ create_alias: { alias_name: 'alias', collection_name: 'kept' } }],
    });
  });

  after(async () => {
    await engine.stop();
    await rm(dataDir, { recursive: true });
  });

  it('survives kill -9 in the middle of writes: every acknowledged point is there, unchanged', async () => {
    const client = await connect(engine);
    const acknowledged: number[] = [];
    const write = async (id: number): Promise<void> => {
      await client.upsert('alias', { points: [{ id, vector: [id, 1], payload: { n: id } }] });
      acknowledged.push(id);
      if (acknowledged.length === 50) process.kill(engine.pid, 'SIGKILL');
      await write(id + 4);
    };
    await Promise.allSettled([0, 1, 2, 3].map(write));
    await engine.stop();
    appendFileSync(logFile(), 'deadbeef {"op":"upsert","collection":"kept","poi');
    engine = await startVectorStore({ dataDir });
    const found = await (
      await connect(engine)
    ).retrieve('alias', {
      ids: acknowledged,
      with_vector: true,
    });
    assert.equal(found.length, acknowledged.length);
    for (const { id, vector, payload } of found) {
      assert.deepEqual(payload, { n: id });
      const [x, y] = vector as number[];
      assert.ok(Math.abs((x ?? 0) - (y ?? 0) * Number(id)) < 1e-4);
    }
  });

  it('goes on writing after a torn tail, and shrinks what was overwritten at the next start', async () => {
    const client = await connect(engine);
    const { count } = await client.count('kept');
    for (let round = 0; round < 10; round++) {
      const points = Array.from({ length: 100 }, (_, n) => ({
        id: n,
        vector: [n, round],
        payload: { n, round },
      }));
      await client.upsert('kept', { points: points.slice(1) });
    }
    const sizeBytes = statSync(logFile()).size;
    await engine.stop();
    engine = await startVectorStore({ dataDir });
    assert.ok(statSync(logFile()).size < sizeBytes / 3);
    const again = await connect(engine);
    assert.ok((await again.count('alias')).count >= Math.max(count, 99));
    assert.deepEqual((await again.retrieve('alias', { ids: [7] }))[0]?.payload, { n: 7, round: 9 });
  });

  it('refuses to start on a log damaged in its middle, because that would lose data', async () => {
    await engine.stop();
    const bytes = readFileSync(logFile());
    const damaged = Buffer.from(bytes);
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    writeFileSync(logFile(), damaged);
    await assert.rejects(startVectorStore({ dataDir }), /vectors did not start: .*is damaged/);
    writeFileSync(logFile(), bytes);
    engine = await startVectorStore({ dataDir });
    assert.ok((await (await connect(engine)).count('kept')).count > 0);
  });
});
