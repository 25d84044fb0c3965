import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../../db/embedded/host/engine.ts';
import { startVectorStore } from '../../../db/embedded/vectors/start.ts';
import { connectVectors } from '../../../db/stores/qdrant.ts';
import { ALIASES, prepareVectors, useModel } from '../../../db/daodao/vector-collections.ts';
import type { Vectors } from '../../../db/stores/qdrant.ts';

function connect({ url }: Engine): Promise<Vectors> {
  return connectVectors({ qdrantUrl: url, qdrantApiKey: undefined });
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

  const model = { name: 'Some/Model', size: 8 };

  it('works when several runs race, and when it is repeated', async () => {
    const runs = Array.from({ length: 5 }, () =>
      connect(engine).then((client) => prepareVectors(client, model)),
    );
    await Promise.all(runs);
    const client = await connect(engine);
    await client.upsert(ALIASES.users, { points: [{ id: 1, vector: Array<number>(8).fill(1) }] });
    await prepareVectors(client, model);
    assert.equal((await client.count(ALIASES.users)).count, 1);
    assert.equal((await client.count(ALIASES.practices)).count, 0);
    assert.deepEqual(
      (await client.getCollections()).collections.map(({ name }) => name).toSorted(),
      ['daodao_practices_some-model_8', 'daodao_users_some-model_8'],
    );
  });

  it('leaves reads with the model in use until they are told to use another, unless it has no vectors', async () => {
    const client = await connect(engine);
    const next = { name: 'next', size: 16 };
    const targets = async () =>
      Object.fromEntries(
        (await client.getAliases()).aliases.map((alias) => [
          alias.alias_name,
          alias.collection_name,
        ]),
      );
    await prepareVectors(client, next);
    assert.deepEqual(await targets(), {
      daodao_users: 'daodao_users_some-model_8',
      daodao_practices: 'daodao_practices_next_16',
    });
    assert.deepEqual(await useModel(client, next), ['daodao_users_some-model_8']);
    assert.deepEqual(await useModel(client, next), []);
    assert.equal((await targets())['daodao_users'], 'daodao_users_next_16');
  });
});
