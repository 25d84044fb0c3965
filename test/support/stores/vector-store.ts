/**
 * A vector store for one test file: the local one, or the server of `TEST_QDRANT_URL`, which must hold nothing of ours.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startVectorStore } from '../../../db/embedded/vectors/start.ts';
import { connectVectors } from '../../../db/stores/qdrant.ts';
import { ALIASES } from '../../../db/daodao/vector-collections.ts';
import type { Vectors } from '../../../db/stores/qdrant.ts';

export interface TestVectorStore {
  url: string;
  client: Vectors;
  /** Of the local one. */
  pid: number | undefined;
  stop(): Promise<void>;
}

export async function startTestVectorStore(): Promise<TestVectorStore> {
  const server = process.env['TEST_QDRANT_URL'];
  if (server === undefined) return startLocal();
  const client = await connectVectors({ qdrantUrl: server, qdrantApiKey: undefined });
  assert.deepEqual(
    await ours(client),
    [],
    'this Qdrant has collections of DaoDao: tests would write into them',
  );
  return {
    url: server,
    client,
    pid: undefined,
    async stop() {
      for (const name of await ours(client)) await client.deleteCollection(name);
    },
  };
}

async function startLocal(): Promise<TestVectorStore> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-vectors-'));
  const engine = await startVectorStore({ dataDir });
  return {
    url: engine.url,
    client: await connectVectors({ qdrantUrl: engine.url, qdrantApiKey: undefined }),
    pid: engine.pid,
    async stop() {
      await engine.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

async function ours(client: Vectors): Promise<string[]> {
  const { collections } = await client.getCollections();
  const names = collections.map(({ name }) => name);
  return names.filter((name) => Object.values(ALIASES).some((alias) => name.startsWith(alias)));
}
