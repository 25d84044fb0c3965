/**
 * What a `query` asks for: what is nearest to a vector or a point.
 */
import { isObject, readId, readVector, StoreError, type PointId } from './point.ts';
import { dots } from './rows.ts';
import { normalise, type Score } from './search.ts';
import type { Collection } from './store.ts';

export interface Scorer {
  score: Score;
  /** Points given as examples, which are no answers. */
  exclude: ReadonlySet<PointId>;
}

/**
 * @throws {StoreError} 404 for an example point that does not exist, 400 for a query this store does not know.
 */
export function compileQuery(collection: Collection, query: unknown): Scorer {
  const exclude = new Set<PointId>();
  const vectorOf = (example: unknown): Float32Array => {
    if (Array.isArray(example)) return Float32Array.from(readVector(example, collection.size));
    const id = readId(example);
    const point = collection.points.get(id);
    if (point === undefined) throw new StoreError(404, `Not found: No point with id ${id} found`);
    exclude.add(id);
    return collection.rows.read(point.row);
  };
  if (isObject(query) && !('nearest' in query)) {
    const kind = Object.keys(query).join(', ');
    throw new StoreError(400, `Wrong input: the local vector store has no query by \`${kind}\``);
  }
  const target = normalise(vectorOf(isObject(query) ? query['nearest'] : query));
  return { score: (array, count) => dots(array, count, target), exclude };
}
