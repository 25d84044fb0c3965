/**
 * Vectors of users and practices. Writes go to the collection of the configured embedding model and never replace a newer version;
 * reads go through an alias to the collection in use.
 */
import { makeOnce } from '../../base/make-once.ts';
import { ALIASES, collectionOf, useModel, type Kind, type Model } from './vector-collections.ts';
import { vectors, type Vectors, type VectorSchemas } from '../stores/qdrant.ts';
import { callStore } from '../stores/unavailable.ts';

export interface VectorPoint {
  /** External id of the user or practice. */
  id: string;
  vector: readonly number[];
  payload: Readonly<Record<string, unknown>>;
}

export interface PracticeSearch {
  vector: readonly number[];
  limit: number;
  /** Excludes practices of the user with this external id. */
  notOwnedBy: string;
  /** Also excludes these practices. */
  notIds: readonly string[];
}

export interface VectorHit {
  id: string;
  /** Cosine similarity, -1 to 1. */
  score: number;
}

/** Points per request, to stay below some megabytes. */
const PAGE = 200;
/** Searches per request. */
const SEARCHES = 16;

export class VectorIndex {
  readonly #client: () => Promise<Vectors>;
  readonly #model: Model;

  /** @param connect called on first use: most threads never need the client, which takes some megabytes. */
  constructor(connect: () => Promise<Vectors>, model: Model) {
    this.#client = makeOnce(connect);
    this.#model = model;
  }

  /** Whether the same call may succeed later. */
  isUnavailable(error: unknown): boolean {
    return vectors.isUnavailable(error);
  }

  /** Name of the configured model's collection, the target of writes. */
  collection(kind: Kind): string {
    return collectionOf(kind, this.#model);
  }

  /** Switches reads to the collection of the configured model. */
  async use(): Promise<void> {
    await this.#call((client) => useModel(client, this.#model));
  }

  /** Upserts points, except where the stored version is newer. */
  async write(kind: Kind, version: number, points: readonly VectorPoint[]): Promise<void> {
    await this.#upsert(kind, version, points, false);
  }

  /** Writes tombstones, which searches skip and which block older writes. */
  async remove(kind: Kind, version: number, ids: readonly string[]): Promise<void> {
    // A store may reject the zero vector, as it has no direction.
    const vector = Array.from({ length: this.#model.size }, (_, i) => Number(i === 0));
    const tombstones = ids.map((id) => ({ id, vector, payload: {} }));
    await this.#upsert(kind, version, tombstones, true);
  }

  /** Vectors in the configured model's collection; missing and removed ones are omitted. */
  async written(kind: Kind, ids: readonly string[]): Promise<Map<string, number[]>> {
    return this.#read(this.collection(kind), ids);
  }

  /** Vectors in the collection that reads use; missing and removed ones are omitted. */
  async vectors(kind: Kind, ids: readonly string[]): Promise<Map<string, number[]>> {
    return this.#read(ALIASES[kind], ids);
  }

  /** The nearest public practices that are active or completed, per search, best first. */
  async searchPractices(searches: readonly PracticeSearch[]): Promise<VectorHit[][]> {
    const found: VectorHit[][] = [];
    for (const page of pages(searches, SEARCHES)) {
      const asked = { searches: page.map(toQuery) };
      const answers = await this.#call((client) => client.queryBatch(ALIASES.practices, asked));
      found.push(
        ...answers.map(({ points }) => points.map(({ id, score }) => ({ id: String(id), score }))),
      );
    }
    return found;
  }

  async #upsert(
    kind: Kind,
    version: number,
    points: readonly VectorPoint[],
    removed: boolean,
  ): Promise<void> {
    for (const page of pages(points, PAGE)) {
      const written = {
        wait: true,
        points: page.map(({ id, vector, payload }) => ({
          id,
          vector: [...vector],
          payload: { ...payload, version, removed },
        })),
        update_filter: { must: [{ key: 'version', range: { lt: version } }] },
      };
      await this.#call((client) => client.upsert(this.collection(kind), written));
    }
  }

  async #read(collection: string, ids: readonly string[]): Promise<Map<string, number[]>> {
    const found = new Map<string, number[]>();
    for (const page of pages(ids, PAGE)) {
      const asked = { ids: [...page], with_vector: true, with_payload: ['removed'] };
      const points = await this.#call((client) => client.retrieve(collection, asked));
      for (const { id, vector, payload } of points) {
        if (payload?.['removed'] !== true) found.set(String(id), vector as number[]);
      }
    }
    return found;
  }

  async #call<T>(call: (client: Vectors) => Promise<T>): Promise<T> {
    const client = await this.#client();
    return callStore(vectors, () => call(client));
  }
}

function toQuery({
  vector,
  limit,
  notOwnedBy,
  notIds,
}: PracticeSearch): VectorSchemas['QueryRequest'] {
  return {
    query: [...vector],
    limit,
    with_payload: false,
    filter: {
      must: [
        { key: 'privacy', match: { value: 'public' } },
        { key: 'status', match: { any: ['active', 'completed'] } },
        { key: 'removed', match: { value: false } },
      ],
      must_not: [
        { key: 'owner', match: { value: notOwnedBy } },
        ...(notIds.length > 0 ? [{ has_id: [...notIds] }] : []),
      ],
    },
  };
}

function* pages<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
