import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import type { Vectors } from '../../../../db/stores/qdrant.ts';
import { examplePoints, FILTERS } from './filters.ts';

/** What the project relies on, from either store. Works in collections of its own. */
export function conformance(open: () => Promise<Vectors>): void {
  const name = `test_${randomUUID()}`;
  const alias = `alias_${randomUUID()}`;
  const uuid = randomUUID();
  let client: Vectors;

  const points = examplePoints(uuid);

  before(async () => {
    client = await open();
    await client.createCollection(name, { vectors: { size: 3, distance: 'Cosine' } });
    await client.createPayloadIndex(name, {
      field_name: 'tags',
      field_schema: 'keyword',
      wait: true,
    });
    await client.upsert(name, { points, wait: true });
  });

  after(async () => {
    await client.deleteCollection(name);
  });

  async function idsWith(filter: object): Promise<unknown[]> {
    const { points: found } = await client.query(name, { query: [1, 1, 1], filter, limit: 100 });
    return found.map(({ id }) => id).toSorted((a, b) => String(a).localeCompare(String(b)));
  }

  it('lists and finds collections', async () => {
    assert.equal((await client.collectionExists(name)).exists, true);
    assert.equal((await client.collectionExists('no-such')).exists, false);
    const { collections } = await client.getCollections();
    assert.ok(collections.some((collection) => collection.name === name));
    assert.equal((await client.count(name)).count, 4);
  });

  it('answers 409 to a collection that exists and 404 to one that does not', async () => {
    const vectors = { size: 3, distance: 'Cosine' as const };
    await assert.rejects(client.createCollection(name, { vectors }), { status: 409 });
    await assert.rejects(client.count('no-such'), { status: 404 });
    await assert.rejects(client.query('no-such', { query: [1, 0, 0] }), { status: 404 });
    await assert.rejects(client.upsert('no-such', { points }), { status: 404 });
  });

  it('answers 400 to bad vectors and bad ids', async () => {
    await assert.rejects(client.upsert(name, { points: [{ id: 9, vector: [1] }] }), {
      status: 400,
    });
    await assert.rejects(client.query(name, { query: [1, 0] }), { status: 400 });
    const named = { id: 'not-a-uuid', vector: [1, 0, 0] };
    await assert.rejects(client.upsert(name, { points: [named] }), { status: 400 });
    await assert.rejects(client.upsert(name, { points: [{ id: -1, vector: [1, 0, 0] }] }), {
      status: 400,
    });
  });

  it('retrieves points by id with their payload and normalised vector', async () => {
    const found = await client.retrieve(name, { ids: [3, uuid, 77], with_vector: true });
    assert.deepEqual(new Set(found.map(({ id }) => id)), new Set([3, uuid]));
    const third = found.find(({ id }) => id === 3);
    assert.deepEqual(third?.vector, [0, 1, 0]);
    assert.deepEqual(third?.payload, { tags: [], n: 3, gone: null });
  });

  it('takes a UUID in any spelling for the same point', async () => {
    const [found] = await client.retrieve(name, { ids: [uuid.toUpperCase().replaceAll('-', '')] });
    assert.equal(found?.id, uuid);
  });

  for (const [title, filter, expected] of FILTERS) {
    it(`filters by ${title}`, async () => {
      const text = JSON.stringify(filter).replaceAll('"uuid"', JSON.stringify(uuid));
      const ids = expected.map((id) => (id === 'uuid' ? uuid : id));
      assert.deepEqual(
        (await idsWith(JSON.parse(text) as object)).map(String),
        ids.map(String).toSorted(),
      );
      assert.equal(
        (await client.count(name, { filter: JSON.parse(text) as object })).count,
        ids.length,
      );
    });
  }

  it('ranks by cosine, with scores and limit', async () => {
    const { points: hits } = await client.query(name, { query: [2, 0, 0], with_payload: ['n'] });
    assert.deepEqual(
      hits.slice(0, 2).map(({ id }) => id),
      [1, 2],
    );
    assert.ok(Math.abs((hits[0]?.score ?? 0) - 1) < 1e-6);
    assert.ok(Math.abs((hits[1]?.score ?? 0) - 0.9 / Math.hypot(0.9, 0.1)) < 1e-6);
    assert.deepEqual(hits[0]?.payload, { n: 1 });
    assert.equal(hits[0]?.vector ?? null, null);
    const { points: best } = await client.query(name, { query: [2, 0, 0], limit: 1 });
    assert.deepEqual(
      best.map(({ id }) => id),
      [1],
    );
  });

  it('answers many searches at once, each as if it were alone', async () => {
    const searches = [
      { query: [1, 0, 0], limit: 2 },
      { query: [0, 0, 1], limit: 1, with_payload: false },
    ];
    const answers = await client.queryBatch(name, { searches });
    const alone = await Promise.all(searches.map((search) => client.query(name, search)));
    const ranked = (answer: { points: { id: unknown; score: number }[] }) =>
      answer.points.map(({ id, score }) => [id, score]);
    assert.deepEqual(answers.map(ranked), alone.map(ranked));
  });

  it('replaces a point only while it passes the update filter, and inserts new ones anyway', async () => {
    const write = async (version: number, id: number) =>
      client.upsert(name, {
        points: [{ id, vector: [1, 1, 1], payload: { version } }],
        update_filter: { must: [{ key: 'version', range: { lt: version } }] },
        wait: true,
      });
    const stored = async () =>
      (await client.retrieve(name, { ids: [50] }))[0]?.payload?.['version'];
    await write(5, 50);
    assert.equal(await stored(), 5);
    await write(4, 50);
    assert.equal(await stored(), 5);
    await write(6, 50);
    assert.equal(await stored(), 6);
    await client.delete(name, { filter: { must: [{ has_id: [50] }] }, wait: true });
  });

  it('replaces payloads whole and deletes by filter', async () => {
    for (const payload of [{ a: 1 }, { b: 2 }]) {
      await client.upsert(name, { points: [{ id: 60, vector: [1, 2, 3], payload }], wait: true });
    }
    const [found] = await client.retrieve(name, { ids: [60] });
    assert.deepEqual(found?.payload, { b: 2 });
    await client.delete(name, { filter: { must: [{ has_id: [60] }] }, wait: true });
    assert.equal((await client.count(name)).count, 4);
  });

  it('serves a collection under an alias that moves in one step', async () => {
    const next = `${name}_next`;
    await client.createCollection(next, { vectors: { size: 3, distance: 'Cosine' } });
    const point = (collection: string) => ({
      actions: [{ create_alias: { alias_name: alias, collection_name: collection } }],
    });
    await client.updateCollectionAliases(point(name));
    assert.equal((await client.count(alias)).count, 4);
    await client.updateCollectionAliases({
      actions: [{ delete_alias: { alias_name: alias } }, ...point(next).actions],
    });
    assert.equal((await client.count(alias)).count, 0);
    await client.deleteCollection(next);
    const { aliases } = await client.getAliases();
    assert.ok(!aliases.some(({ alias_name: known }) => known === alias));
  });

  it('ranks exactly as a brute-force search does', async () => {
    const random = `${name}_random`;
    const vector = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 });
    const isNonZero = (numbers: number[]) => numbers.some((number) => number !== 0);
    const stored = fc.array(vector.filter(isNonZero), { minLength: 1, maxLength: 40 });
    await client.createCollection(random, { vectors: { size: 4, distance: 'Cosine' } });
    await fc.assert(
      fc.asyncProperty(
        stored,
        vector.filter(isNonZero),
        fc.integer({ min: 1, max: 12 }),
        async (all, query, limit) => {
          await client.delete(random, { filter: {}, wait: true });
          await client.upsert(random, {
            points: all.map((v, id) => ({ id, vector: v })),
            wait: true,
          });
          const { points: hits } = await client.query(random, { query, limit });
          const expected = all
            .map((v) => cosine(v, query))
            .sort((a, b) => b - a)
            .slice(0, limit);
          assert.equal(hits.length, expected.length);
          hits.forEach(({ id, score }, rank) => {
            assert.ok(Math.abs(score - (expected[rank] ?? 0)) < 1e-5);
            assert.ok(Math.abs(score - cosine(all[Number(id)] ?? [], query)) < 1e-5);
          });
        },
      ),
      { numRuns: 40 },
    );
    await client.deleteCollection(random);
  });
}

function cosine(a: number[], b: number[]): number {
  const dot = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
