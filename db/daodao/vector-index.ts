/**
 * Points of users and practices. Writes go to the collection of this process's embedding model and never replace a newer
 * version; reads go through the alias, to whatever model is in use.
 */
import { connectOnce } from '../../base/connect-once.ts';
import { ALIASES, collectionOf, useModel, type Kind, type Model } from './vector-collections.ts';
import { vectors, type Vectors, type VectorSchemas } from '../stores/qdrant.ts';

export interface VectorPoint {
  /** External id of the user or practice. */
  id: string;
  vector: readonly number[];
  payload: Readonly<Record<string, unknown>>;
}

export interface PracticeSearch {
  vector: readonly number[];
  limit: number;
  /** External id of the user whose own practices are no answers. */
  notOwnedBy: string;
  /** Practices that are no answers either. */
  notIds: readonly string[];
}

export interface VectorHit {
  id: string;
  /** Cosine similarity, -1 to 1. */
  score: number;
}

/** Points in one request, so that it stays below some megabytes. */
const PAGE = 200;
/** Searches in one request. */
const SEARCHES = 16;

export class VectorIndex {
  readonly #client: () => Promise<Vectors>;
  readonly #model: Model;

  /** @param connect called when it is first used: most threads never do, and a client costs some megabytes. */
  constructor(connect: () => Promise<Vectors>, model: Model) {
    this.#client = connectOnce(connect);
    this.#model = model;
  }

  /** Whether an error of the vector store means that the same call may succeed later. */
  isUnavailable(error: unknown): boolean {
    return vectors.isUnavailable(error);
  }

  /** The collection of this process's model: what `write` writes to. */
  collection(kind: Kind): string {
    return collectionOf(kind, this.#model);
  }

  /** Lets reads use the vectors of this process's model from now on. */
  async use(): Promise<void> {
    await useModel(await this.#client(), this.#model);
  }

  /** Writes points under a version, except over those of a newer one. */
  async write(kind: Kind, version: number, points: readonly VectorPoint[]): Promise<void> {
    const client = await this.#client();
    for (const page of pages(points, PAGE)) {
      await client.upsert(this.collection(kind), {
        wait: true,
        points: page.map(({ id, vector, payload }) => ({
          id,
          vector: [...vector],
          payload: { ...payload, version, removed: false },
        })),
        update_filter: { must: [{ key: 'version', range: { lt: version } }] },
      });
    }
  }

  /** Puts tombstones in the place of points: no search finds them, and no older write brings anything back. */
  async remove(kind: Kind, version: number, ids: readonly string[]): Promise<void> {
    // A vector of zeros has no direction, which a store may refuse.
    const vector = Array.from({ length: this.#model.size }, (_, i) => Number(i === 0));
    const client = await this.#client();
    for (const page of pages(ids, PAGE)) {
      await client.upsert(this.collection(kind), {
        wait: true,
        points: page.map((id) => ({ id, vector, payload: { version, removed: true } })),
        update_filter: { must: [{ key: 'version', range: { lt: version } }] },
      });
    }
  }

  /** Vectors by id, as this process's model made them; those that are not there are left out. */
  async written(kind: Kind, ids: readonly string[]): Promise<Map<string, number[]>> {
    return this.#read(this.collection(kind), ids);
  }

  /** Vectors by id in the collection in use; those that are not there are left out. */
  async vectors(kind: Kind, ids: readonly string[]): Promise<Map<string, number[]>> {
    return this.#read(ALIASES[kind], ids);
  }

  /** For each search the nearest practices that others share and that are going on or done, best first. */
  async searchPractices(searches: readonly PracticeSearch[]): Promise<VectorHit[][]> {
    const client = await this.#client();
    const found: VectorHit[][] = [];
    for (const page of pages(searches, SEARCHES)) {
      const answers = await client.queryBatch(ALIASES.practices, {
        searches: page.map(toQuery),
      });
      found.push(
        ...answers.map(({ points }) => points.map(({ id, score }) => ({ id: String(id), score }))),
      );
    }
    return found;
  }

  async #read(collection: string, ids: readonly string[]): Promise<Map<string, number[]>> {
    const client = await this.#client();
    const found = new Map<string, number[]>();
    for (const page of pages(ids, PAGE)) {
      const points = await client.retrieve(collection, {
        ids: [...page],
        with_vector: true,
        with_payload: ['removed'],
      });
      for (const { id, vector, payload } of points) {
        if (payload?.['removed'] !== true) found.set(String(id), vector as number[]);
      }
    }
    return found;
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
