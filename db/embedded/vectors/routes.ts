/**
 * The routes of Qdrant's REST interface that this project uses.
 */
import {
  countPoints,
  deletePoints,
  queryPoints,
  retrievePoints,
  upsertPoints,
} from './operations.ts';
import { readList, readObject, StoreError } from './point.ts';
import type { VectorStore } from './store.ts';

type Body = Record<string, unknown>;
type Handler = (store: VectorStore, name: string, body: Body) => unknown;

const UPDATED = { operation_id: 0, status: 'completed' };

/** The first match wins, so that `aliases` never counts as the name of a collection. */
const ROUTES: readonly [method: string, path: RegExp, handler: Handler][] = [
  ['GET', /^\/collections$/, listCollections],
  ['GET', /^\/aliases$/, listAliases],
  ['POST', /^\/collections\/aliases$/, changeAliases],
  ['PUT', /^\/collections\/([^/]+)$/, createCollection],
  ['DELETE', /^\/collections\/([^/]+)$/, (store, name) => store.drop(name)],
  ['GET', /^\/collections\/([^/]+)\/exists$/, exists],
  ['PUT', /^\/collections\/([^/]+)\/index$/, updating(declareIndex)],
  ['PUT', /^\/collections\/([^/]+)\/points$/, updating(upsertPoints)],
  ['POST', /^\/collections\/([^/]+)\/points$/, retrievePoints],
  ['POST', /^\/collections\/([^/]+)\/points\/delete$/, updating(deletePoints)],
  ['POST', /^\/collections\/([^/]+)\/points\/count$/, countPoints],
  ['POST', /^\/collections\/([^/]+)\/points\/query$/, queryPoints],
  ['POST', /^\/collections\/([^/]+)\/points\/query\/batch$/, queryPointsOfMany],
];

/** @throws {StoreError} with the status of the response. */
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

/** Qdrant needs payload indexes; a search here scans every point, so an index is accepted and ignored. */
function declareIndex(store: VectorStore, name: string): void {
  store.collection(name);
}

function readName(fields: Body, field: string): string {
  const value = fields[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new StoreError(400, `Format error in JSON body: \`${field}\` must be text`);
}
