/**
 * The routes of the local vector store: those of Qdrant's REST interface that this project uses.
 */
import {
  countPoints,
  deletePoints,
  queryPoints,
  retrievePoints,
  scrollPoints,
  upsertPoints,
} from './operations.ts';
import { readList, readObject, StoreError } from './point.ts';
import type { VectorStore } from './store.ts';

type Body = Record<string, unknown>;
type Handler = (store: VectorStore, name: string, body: Body) => unknown;

const UPDATED = { operation_id: 0, status: 'completed' };

/** First match wins: `aliases` is no collection's name. */
const ROUTES: readonly [method: string, path: RegExp, handler: Handler][] = [
  ['GET', /^\/collections$/, listCollections],
  ['GET', /^\/aliases$/, listAliases],
  ['POST', /^\/collections\/aliases$/, changeAliases],
  ['PUT', /^\/collections\/([^/]+)$/, createCollection],
  ['GET', /^\/collections\/([^/]+)$/, describeCollection],
  ['DELETE', /^\/collections\/([^/]+)$/, (store, name) => store.drop(name)],
  ['GET', /^\/collections\/([^/]+)\/exists$/, exists],
  ['PUT', /^\/collections\/([^/]+)\/index$/, updating(declareIndex)],
  ['PUT', /^\/collections\/([^/]+)\/points$/, updating(upsertPoints)],
  ['POST', /^\/collections\/([^/]+)\/points$/, retrievePoints],
  ['POST', /^\/collections\/([^/]+)\/points\/delete$/, updating(deletePoints)],
  ['POST', /^\/collections\/([^/]+)\/points\/scroll$/, scrollPoints],
  ['POST', /^\/collections\/([^/]+)\/points\/count$/, countPoints],
  ['POST', /^\/collections\/([^/]+)\/points\/query$/, queryPoints],
  ['POST', /^\/collections\/([^/]+)\/points\/query\/batch$/, queryPointsOfMany],
];

/** Answers one request. @throws {StoreError} with the status to answer. */
export function route(store: VectorStore, method: string, path: string, body: Body): unknown {
  for (const [verb, pattern, handler] of ROUTES) {
    const match = verb === method ? pattern.exec(path) : null;
    if (match !== null) return handler(store, decodeURIComponent(match[1] ?? ''), body);
  }
  throw new StoreError(404, `Not found: the local vector store has no ${method} ${path}`);
}

function updating(change: (store: VectorStore, name: string, body: Body) => void): Handler {
  return (store, name, body) => {
    change(store, name, body);
    return UPDATED;
  };
}

/** Each search as if it were alone. */
function queryPointsOfMany(store: VectorStore, name: string, body: Body) {
  return readList(body['searches'], 'searches').map((search) =>
    queryPoints(store, name, readObject(search, 'search')),
  );
}

function listCollections(store: VectorStore) {
  return { collections: [...store.collections.keys()].map((name) => ({ name })) };
}

function exists(store: VectorStore, name: string) {
  return { exists: store.collections.has(store.resolve(name)) };
}

function createCollection(store: VectorStore, name: string, body: Body): true {
  const { size, distance } = readObject(body['vectors'], 'vectors');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1 || size > 65_536) {
    throw new StoreError(400, 'Validation error in JSON body: vectors.size must be 1 to 65536');
  }
  if (distance !== 'Cosine') {
    throw new StoreError(400, 'Wrong input: the local vector store has no distance but Cosine');
  }
  store.create(name, size);
  return true;
}

function describeCollection(store: VectorStore, name: string) {
  const { size, points, indexes } = store.collection(name);
  return {
    status: 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: 0,
    points_count: points.size,
    segments_count: 1,
    config: { params: { vectors: { size, distance: 'Cosine' }, shard_number: 1 } },
    payload_schema: Object.fromEntries(
      [...indexes].map(([field, schema]) => [field, { data_type: schema, points: points.size }]),
    ),
  };
}

function listAliases({ aliases }: VectorStore) {
  return {
    aliases: [...aliases].map(([alias, collection]) => ({
      alias_name: alias,
      collection_name: collection,
    })),
  };
}

function changeAliases(store: VectorStore, _name: string, body: Body): true {
  store.changeAliases(
    readList(body['actions'], 'actions').map((action) =>
      readAliasAction(readObject(action, 'action')),
    ),
  );
  return true;
}

function readAliasAction(action: Body): [alias: string, collection: string | null] {
  const [kind] = Object.keys(action);
  const fields = readObject(action[kind ?? ''], 'action');
  if (kind === 'delete_alias') return [readName(fields, 'alias_name'), null];
  if (kind !== 'create_alias') throw new StoreError(400, 'Format error in JSON body: action');
  return [readName(fields, 'alias_name'), readName(fields, 'collection_name')];
}

function declareIndex(store: VectorStore, name: string, body: Body): void {
  const schema = body['field_schema'];
  const type = typeof schema === 'string' ? schema : readObject(schema, 'field_schema')['type'];
  store.declareIndex(name, readName(body, 'field_name'), type);
}

function readName(fields: Body, field: string): string {
  const value = fields[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new StoreError(400, `Format error in JSON body: \`${field}\` must be text`);
}
