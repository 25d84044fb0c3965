import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../db/embedded/engine.ts';
import { startVectorStore } from '../../db/embedded/vectors.ts';
import { createVectors, prepareVectors, PRACTICES, USERS, type Vectors } from '../../db/vectors.ts';

function connect({ url }: Engine): Vectors {
  return createVectors({ qdrantUrl: url, qdrantApiKey: undefined });
}

describe('preparing the vector collections', () => {
  let dataDir: string;
  let engine: Engine;

  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'vectors-'));
    engine = await startVectorStore({ dataDir });
  });

  after(async () => {
    await engine.stop();
    await rm(dataDir, { recursive: true });
  });

  it('works when several runs race, and when it is repeated', async () => {
    const runs = Array.from({ length: 5 }, () => prepareVectors(connect(engine), { size: 8 }));
    await Promise.all(runs);
    const client = connect(engine);
    await client.upsert(USERS, { points: [{ id: 1, vector: Array<number>(8).fill(1) }] });
    await prepareVectors(client, { size: 8 });
    assert.equal((await client.count(USERS)).count, 1);
    assert.equal((await client.count(PRACTICES)).count, 0);
    assert.equal((await client.getCollections()).collections.length, 2);
  });

  it('leaves an alias where a re-index has moved it', async () => {
    const client = connect(engine);
    await client.createCollection('rebuilt', { vectors: { size: 8, distance: 'Cosine' } });
    await client.updateCollectionAliases({
      actions: [{ create_alias: { alias_name: PRACTICES, collection_name: 'rebuilt' } }],
    });
    await prepareVectors(client, { size: 8 });
    const { aliases } = await client.getCollectionAliases('rebuilt');
    assert.deepEqual(
      aliases.map(({ alias_name: alias }) => alias),
      [PRACTICES],
    );
  });

  it('says so when the vectors have another length', async () => {
    await assert.rejects(prepareVectors(connect(engine), { size: 16 }), {
      code: 'CONFIG_INVALID',
      message: /VECTOR_SIZE is 16, but .* holds vectors of 8 numbers/,
    });
  });
});
