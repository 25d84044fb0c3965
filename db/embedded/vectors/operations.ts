/**
 * What can be done with the points of a collection, from the body of a request to the result in the answer.
 */
import { compileFilter } from './filter.ts';
import {
  compareIds,
  isObject,
  readCount,
  readId,
  readList,
  readObject,
  readVector,
  refuseFields,
  StoreError,
  type NewPoint,
  type Payload,
  type Point,
} from './point.ts';
import { compileQuery } from './query.ts';
import { normalise, topK, type Hit } from './search.ts';
import type { Collection, VectorStore } from './store.ts';

type Body = Record<string, unknown>;

/** Qdrant's default number of results. */
const DEFAULT_LIMIT = 10;

/**
 * Writes whole points. With `update_filter`, an existing point is replaced only while it passes the filter; with
 * `update_mode`, only new or only existing points are written.
 */
export function upsertPoints(store: VectorStore, name: string, body: Body): void {
  const { size, points } = store.collection(name);
  const passes = compileFilter(body['update_filter']);
  const mode = body['update_mode'] ?? 'upsert';
  const given = readPoints(body).map((point) => readPoint(point, size));
  const writable = given.filter(({ id }) => {
    const existing = points.get(id);
    if (existing === undefined) return mode !== 'update_only';
    return mode !== 'insert_only' && passes(existing);
  });
  store.upsert(name, writable);
}

function readPoints(body: Body): unknown[] {
  if (!isObject(body['batch'])) return readList(body['points'], 'points');
  const { ids, vectors, payloads } = body['batch'];
  const allVectors = readList(vectors, 'vectors');
  const allPayloads = readList(payloads ?? [], 'payloads');
  return readList(ids, 'ids').map((id, i) => ({
    id,
    vector: allVectors[i],
    payload: allPayloads[i],
  }));
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
  const { points } = store.collection(name);
  if (body['points'] !== undefined) {
    const ids = readList(body['points'], 'points').map(readId);
    return store.delete(
      name,
      ids.filter((id) => points.has(id)),
    );
  }
  const passes = compileFilter(readObject(body['filter'], 'filter'));
  const doomed = [...points.values()].filter(passes);
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
  let count = 0;
  for (const point of store.collection(name).points.values()) if (passes(point)) count++;
  return { count };
}

/** One page in the order of ids, from the id `offset` on. */
export function scrollPoints(store: VectorStore, name: string, body: Body) {
  refuseFields(body, ['order_by']);
  const limit = readCount(body['limit'], 'limit', 1, DEFAULT_LIMIT);
  const from =
    body['offset'] === undefined || body['offset'] === null ? null : readId(body['offset']);
  const passes = compileFilter(body['filter']);
  const collection = store.collection(name);
  const page = [...collection.points.values()]
    .filter((point) => (from === null || compareIds(point.id, from) >= 0) && passes(point))
    .sort((a, b) => compareIds(a.id, b.id));
  return {
    points: page.slice(0, limit).map((point) => show(collection, point, body, true)),
    next_page_offset: page[limit]?.id ?? null,
  };
}

/** The points nearest to what is asked for, best first; without a query, points in the order of ids. */
export function queryPoints(store: VectorStore, name: string, body: Body) {
  refuseFields(body, ['prefetch', 'using', 'lookup_from']);
  const limit = readCount(body['limit'], 'limit', 1, DEFAULT_LIMIT);
  const offset = readCount(body['offset'], 'offset', 0, 0);
  const collection = store.collection(name);
  const hits = search(collection, body, offset + limit).slice(offset);
  return {
    points: hits.map(({ point, score }) => ({
      version: 0,
      score,
      ...show(collection, point, body, false),
    })),
  };
}

function search(collection: Collection, body: Body, count: number): Hit[] {
  const passes = compileFilter(body['filter']);
  const { query, score_threshold: threshold } = body;
  if (query === undefined || query === null) {
    return topK(collection.rows, passes, (_, rows) => new Float64Array(rows).fill(1), count);
  }
  if (threshold !== undefined && threshold !== null && typeof threshold !== 'number') {
    throw new StoreError(400, 'Format error in JSON body: score_threshold must be a number');
  }
  const { score, exclude } = compileQuery(collection, query);
  const isWanted = (point: Point): boolean => !exclude.has(point.id) && passes(point);
  const hits = topK(collection.rows, isWanted, score, count);
  return typeof threshold === 'number' ? hits.filter((hit) => hit.score >= threshold) : hits;
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
  const { include, exclude } = Array.isArray(wanted)
    ? { include: wanted, exclude: undefined }
    : readObject(wanted, 'with_payload');
  const fields = new Set(readList(include ?? exclude, 'with_payload'));
  const keep = include !== undefined;
  return Object.fromEntries(
    Object.entries(payload).filter(([field]) => fields.has(field) === keep),
  );
}
