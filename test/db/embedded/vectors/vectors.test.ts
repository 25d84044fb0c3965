import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../../../db/embedded/host/engine.ts';
import { startVectorStore } from '../../../../db/embedded/vectors/start.ts';
import { connectVectors } from '../../../../db/stores/qdrant.ts';
import type { Vectors } from '../../../../db/stores/qdrant.ts';
import { conformance } from './conformance.ts';

const QDRANT_URL = process.env['QDRANT_URL'];

function connect(url: string): Promise<Vectors> {
  return connectVectors({ qdrantUrl: url, qdrantApiKey: process.env['QDRANT_API_KEY'] });
}

describe('the local vector store, through the official client', () => {
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

  it('is called what it is', () => {
    assert.equal(engine.note, 'local vector store, not Qdrant');
  });

  it('refuses what it lacks instead of answering something else', async () => {
    const client = await connect(engine.url);
    await client.createCollection('lacking', { vectors: { size: 2, distance: 'Cosine' } });
    const filter = { must: [{ key: 'at', geo_radius: { center: { lon: 0, lat: 0 }, radius: 1 } }] };
    await assert.rejects(client.count('lacking', { filter }), { status: 400 });
    await assert.rejects(client.query('lacking', { query: { sample: 'random' } }), { status: 400 });
    await assert.rejects(client.query('lacking', { query: [1, 0], using: 'x' }), { status: 400 });
    const dot = { vectors: { size: 2, distance: 'Dot' as const } };
    await assert.rejects(client.createCollection('dot', dot), { status: 400 });
    await assert.rejects(client.query('lacking', { query: [1, 0], offset: 1 }), { status: 400 });
    const nested = { must: [{ key: 'a.b', match: { value: 1 } }] };
    await assert.rejects(client.count('lacking', { filter: nested }), { status: 400 });
    await assert.rejects(client.count('lacking', { filter: { should: [] } }), { status: 400 });
  });

  describe('on the routes we use', () => conformance(() => connect(engine.url)));
});

describe('a real Qdrant', { skip: QDRANT_URL === undefined && 'QDRANT_URL is not set' }, () => {
  conformance(() => connect(QDRANT_URL ?? ''));
});
