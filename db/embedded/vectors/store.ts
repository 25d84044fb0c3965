/**
 * The collections, aliases and points of the local vector store. All of them are in memory; every change is appended
 * to a log before it is applied, and the log is replayed at start.
 *
 * Everything here is synchronous, so that no request sees half of another's change.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { openLog, rewriteLog, type Log } from './log.ts';
import { StoreError, type NewPoint, type Payload, type Point, type PointId } from './point.ts';
import { VectorRows } from './rows.ts';

export interface Collection {
  /** Length of its vectors. */
  size: number;
  rows: VectorRows<Point>;
  points: Map<PointId, Point>;
  /** Declared payload indexes, by field. They speed up nothing here. */
  indexes: Map<string, unknown>;
}

/** A point in the log: its vector is base64 of little-endian float32. */
interface StoredPoint {
  id: PointId;
  vector: string;
  payload: Payload;
}

type Entry =
  | { op: 'create'; collection: string; size: number }
  | { op: 'drop'; collection: string }
  | { op: 'alias'; changes: [alias: string, collection: string | null][] }
  | { op: 'index'; collection: string; field: string; schema: unknown }
  | { op: 'upsert'; collection: string; points: StoredPoint[] }
  | { op: 'delete'; collection: string; ids: PointId[] };

const POINTS_PER_ENTRY = 256;

export class VectorStore {
  readonly collections = new Map<string, Collection>();
  /** Alias to the name of a collection. */
  readonly aliases = new Map<string, string>();
  readonly #log: Log<Entry>;

  /** Opens the store in `folder`, compacting a log of which more than half is superseded. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'points.log');
    let replayed = 0;
    const log = openLog<Entry>(file, (entry) => {
      replayed += entry.op === 'upsert' ? entry.points.length : 1;
      this.#apply(entry);
    });
    if (replayed <= 2 * this.#livingEntries()) {
      this.#log = log;
      return;
    }
    log.close();
    rewriteLog(file, this.#entries());
    this.#log = openLog(file, () => undefined);
  }

  /** The collection of that name or alias. @throws {StoreError} 404 */
  collection(name: string): Collection {
    const collection = this.collections.get(this.resolve(name));
    if (collection !== undefined) return collection;
    throw new StoreError(404, `Not found: Collection \`${name}\` doesn't exist!`);
  }

  /** The collection's name behind what may be an alias. */
  resolve(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  /** @throws {StoreError} 409 when a collection or alias has that name. */
  create(name: string, size: number): void {
    const kind = this.aliases.has(name) ? 'Alias' : 'Collection';
    if (kind === 'Alias' || this.collections.has(name)) {
      throw new StoreError(409, `Wrong input: ${kind} \`${name}\` already exists!`);
    }
    this.#commit({ op: 'create', collection: name, size });
  }

  /** Removes a collection and its aliases. Returns whether there was one. */
  drop(name: string): boolean {
    if (!this.collections.has(name)) return false;
    this.#commit({ op: 'drop', collection: name });
    return true;
  }

  /** Points aliases to collections, or removes those with null, all in one step. */
  changeAliases(changes: [alias: string, collection: string | null][]): void {
    for (const [alias, target] of changes) {
      if (target !== null && !this.collections.has(target)) this.collection(target);
      if (this.collections.has(alias)) {
        throw new StoreError(409, `Wrong input: Collection \`${alias}\` already exists!`);
      }
    }
    this.#commit({ op: 'alias', changes });
  }

  declareIndex(name: string, field: string, schema: unknown): void {
    this.collection(name);
    this.#commit({ op: 'index', collection: this.resolve(name), field, schema });
  }

  upsert(name: string, points: readonly NewPoint[]): void {
    if (points.length === 0) return;
    this.#commit({ op: 'upsert', collection: this.resolve(name), points: points.map(pack) });
  }

  delete(name: string, ids: PointId[]): void {
    if (ids.length === 0) return;
    this.#commit({ op: 'delete', collection: this.resolve(name), ids });
  }

  close(): void {
    this.#log.close();
  }

  #commit(entry: Entry): void {
    this.#log.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    if (entry.op === 'create') {
      const { collection, size } = entry;
      const rows = new VectorRows<Point>(size);
      this.collections.set(collection, { size, rows, points: new Map(), indexes: new Map() });
    } else if (entry.op === 'drop') {
      this.collections.delete(entry.collection);
      for (const [alias, target] of this.aliases) {
        if (target === entry.collection) this.aliases.delete(alias);
      }
    } else if (entry.op === 'alias') {
      for (const [alias, target] of entry.changes) {
        if (target === null) this.aliases.delete(alias);
        else this.aliases.set(alias, target);
      }
    } else {
      const collection = this.collection(entry.collection);
      if (entry.op === 'index') collection.indexes.set(entry.field, entry.schema);
      else if (entry.op === 'delete') for (const id of entry.ids) remove(collection, id);
      else for (const point of entry.points) put(collection, point);
    }
  }

  #livingEntries(): number {
    let count = this.aliases.size;
    for (const { points, indexes } of this.collections.values()) {
      count += 1 + points.size + indexes.size;
    }
    return count;
  }

  /** The shortest log that leads to the present state. */
  *#entries(): Generator<Entry> {
    for (const [collection, { size, rows, points, indexes }] of this.collections) {
      yield { op: 'create', collection, size };
      for (const [field, schema] of indexes) yield { op: 'index', collection, field, schema };
      const all = [...points.values()];
      for (let start = 0; start < all.length; start += POINTS_PER_ENTRY) {
        const slice = all.slice(start, start + POINTS_PER_ENTRY);
        yield {
          op: 'upsert',
          collection,
          points: slice.map((point) => pack({ ...point, vector: rows.read(point.row) })),
        };
      }
    }
    yield { op: 'alias', changes: [...this.aliases] };
  }
}

function pack({ id, vector, payload }: NewPoint): StoredPoint {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return { id, vector: bytes.toString('base64'), payload };
}

function put({ rows, points }: Collection, { id, vector, payload }: StoredPoint): void {
  const numbers = new Float32Array(new Uint8Array(Buffer.from(vector, 'base64')).buffer);
  const old = points.get(id);
  if (old !== undefined) rows.remove(old.row);
  points.set(
    id,
    rows.add(numbers, (row) => ({ id, row, payload })),
  );
}

function remove({ rows, points }: Collection, id: PointId): void {
  const old = points.get(id);
  if (old !== undefined) rows.remove(old.row);
  points.delete(id);
}
