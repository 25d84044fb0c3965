/**
 * What a `query` asks for: nearest to a vector or a point, or like some points and unlike others.
 */
import { isObject, readId, readList, readVector, StoreError, type PointId } from './point.ts';
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
  if (isObject(query) && isObject(query['recommend'])) {
    const { positive, negative, strategy } = query['recommend'];
    const liked = readList(positive ?? [], 'positive').map(vectorOf);
    const disliked = readList(negative ?? [], 'negative').map(vectorOf);
    return { score: recommend(liked, disliked, strategy ?? 'average_vector'), exclude };
  }
  if (isObject(query) && !('nearest' in query)) {
    const kind = Object.keys(query).join(', ');
    throw new StoreError(400, `Wrong input: the local vector store has no query by \`${kind}\``);
  }
  const target = normalise(vectorOf(isObject(query) ? query['nearest'] : query));
  return { score: (array, count) => dots(array, count, target), exclude };
}

function recommend(liked: Float32Array[], disliked: Float32Array[], strategy: unknown): Score {
  if (
    liked.length + disliked.length === 0 ||
    (strategy === 'average_vector' && liked.length === 0)
  ) {
    throw new StoreError(400, 'Wrong input: At least one positive vector ID required');
  }
  if (strategy === 'average_vector') {
    const target = normalise(contrast(mean(liked), disliked));
    return (array, count) => dots(array, count, target);
  }
  const likes = liked.map(normalise);
  const dislikes = disliked.map(normalise);
  if (strategy === 'sum_scores') {
    return (array, count) => {
      const scores = total(array, count, likes);
      const against = total(array, count, dislikes);
      return scores.map((score, row) => score - against[row]!);
    };
  }
  if (strategy === 'best_score') {
    return (array, count) => {
      const pro = best(array, count, likes);
      const contra = best(array, count, dislikes);
      return pro.map((score, row) =>
        score > contra[row]! ? squash(score) : -squash(contra[row]!),
      );
    };
  }
  throw new StoreError(400, 'Wrong input: the local vector store has no such recommend strategy');
}

function mean(vectors: Float32Array[]): Float32Array {
  const sum = new Float32Array(vectors[0]!.length);
  for (const vector of vectors) vector.forEach((value, i) => (sum[i]! += value));
  return sum.map((value) => value / vectors.length);
}

/** The liked direction, moved on by its distance from the disliked one. */
function contrast(liked: Float32Array, disliked: Float32Array[]): Float32Array {
  if (disliked.length === 0) return liked;
  const away = mean(disliked);
  return liked.map((value, i) => 2 * value - away[i]!);
}

function total(array: Float32Array, count: number, others: Float32Array[]): Float64Array {
  return others
    .map((other) => dots(array, count, other))
    .reduce((sums, scores) => sums.map((sum, row) => sum + scores[row]!), new Float64Array(count));
}

function best(array: Float32Array, count: number, others: Float32Array[]): Float64Array {
  return others
    .map((other) => dots(array, count, other))
    .reduce(
      (most, scores) => most.map((score, row) => Math.max(score, scores[row]!)),
      new Float64Array(count).fill(-Infinity),
    );
}

/** Maps (-1, 1) monotonically into (0, 1), so that the sign is free to say which side won. */
function squash(score: number): number {
  return 0.5 * (score / (1 + Math.abs(score)) + 1);
}
