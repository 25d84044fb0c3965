/**
 * The operations on the points of a collection, from a request body to the result in the response.
 */
import { compileFilter } from './filter.ts';
import {
  readId,
  readLimit,
  readList,
  readObject,
  readVector,
  refuseFields,
  type NewPoint,
  type Payload,
  type Point,
} from './point.ts';
import { dots } from './rows.ts';
import { normalise, topK } from './search.ts';
import type { Collection, VectorStore } from './store.ts';

type Body = Record<string, unknown>;

/** Writes whole points. An `update_filter` that an existing point fails leaves that point as it is. */
export function upsertPoints(store: VectorStore, name: string, body: Body): void {
  refuseFields(body, ['batch', 'update_mode']);
  const { size, points } = store.collection(name);
  const passes = compileFilter(body['update_filter']);
  const given = readList(body['points'], 'points').map((point) => readPoint(point, size));
  store.upsert(
    name,
    given.filter(({ id }) => {
      const existing = points.get(id);
      return existing === undefined || passes(existing);
    }),
  );
}

function readPoint(value: unknown, size: number): NewPoint {
  const { id, vector, payload } = readObject(value, 'point');
  return {
    id: readId(id),
    vector: normalise(readVector(vector, size)),
    payload: readObject(payload ?? {}, 'payload'),
  };
}

export function deletePoints(store: VectorStore, name: string, body: Body): void {
  refuseFields(body, ['points']);
  const passes = compileFilter(readObject(body['filter'], 'filter'));
  const doomed = [...store.collection(name).points.values()].filter(passes);
  store.delete(
    name,
    doomed.map(({ id }) => id),
  );
}

export function retrievePoints(store: VectorStore, name: string, body: Body) {
  const collection = store.collection(name);
  const ids = readList(body['ids'], 'ids').map(readId);
  const found = ids.flatMap((id) => collection.points.get(id) ?? []);
  return found.map((point) => show(collection, point, body, true));
}

export function countPoints(store: VectorStore, name: string, body: Body) {
  const passes = compileFilter(body['filter']);
  return { count: [...store.collection(name).points.values()].filter(passes).length };
}

export function queryPoints(store: VectorStore, name: string, body: Body) {
  refuseFields(body, ['prefetch', 'using', 'lookup_from', 'score_threshold', 'offset']);
  const limit = readLimit(body['limit']);
  const collection = store.collection(name);
  const target = normalise(readVector(body['query'], collection.size));
  const passes = compileFilter(body['filter']);
  const hits = topK(collection.rows, passes, (array, count) => dots(array, count, target), limit);
  return {
    points: hits.map(({ point, score }) => ({
      version: 0,
      score,
      ...show(collection, point, body, false),
    })),
  };
}

function show({ rows }: Collection, point: Point, body: Body, payloadByDefault: boolean) {
  const payload = select(point.payload, body['with_payload'] ?? payloadByDefault);
  return {
    id: point.id,
    ...(payload === undefined ? {} : { payload }),
    ...(body['with_vector'] === true ? { vector: [...rows.read(point.row)] } : {}),
  };
}

function select(payload: Payload, wanted: unknown): Payload | undefined {
  if (typeof wanted === 'boolean') return wanted ? payload : undefined;
  const fields = new Set(readList(wanted, 'with_payload'));
  return Object.fromEntries(Object.entries(payload).filter(([field]) => fields.has(field)));
}
