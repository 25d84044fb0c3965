/**
 * The collections, aliases and points of the local vector store, in memory. A change goes to a log before it is applied;
 * the store replays the log at start. All methods are synchronous, so no request sees half of another's change.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { openLog, rewriteLog, type Log } from './log.ts';
import { StoreError, type NewPoint, type Payload, type Point, type PointId } from './point.ts';
import { VectorRows } from './rows.ts';

export interface Collection {
  size: number;
  rows: VectorRows<Point>;
  points: Map<PointId, Point>;
}

interface StoredPoint {
  id: PointId;
  /** Base64 of little-endian float32. */
  vector: string;
  payload: Payload;
}

/** Logs of earlier versions also hold `index` entries, which have no effect. */
type Entry =
  | { op: 'create'; collection: string; size: number }
  | { op: 'drop'; collection: string }
  | { op: 'alias'; changes: [alias: string, collection: string | null][] }
  | { op: 'upsert'; collection: string; points: StoredPoint[] }
  | { op: 'delete'; collection: string; ids: PointId[] };

const POINTS_PER_ENTRY = 256;

export class VectorStore {
  readonly collections = new Map<string, Collection>();
  readonly aliases = new Map<string, string>();
  readonly #log: Log<Entry>;

  /** Compacts the log if more than half of it is superseded. */
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

  /** @param name or an alias. @throws {StoreError} 404 */
  collection(name: string): Collection {
    const collection = this.collections.get(this.resolve(name));
    if (collection !== undefined) return collection;
    throw new StoreError(404, `Not found: Collection \`${name}\` doesn't exist!`);
  }

  resolve(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  /** @throws {StoreError} 409 if the name is taken. */
  create(name: string, size: number): void {
    const kind = this.aliases.has(name) ? 'Alias' : 'Collection';
    if (kind === 'Alias' || this.collections.has(name)) {
      throw new StoreError(409, `Wrong input: ${kind} \`${name}\` already exists!`);
    }
    this.#commit({ op: 'create', collection: name, size });
  }

  /** Also removes the aliases. @returns whether the collection existed. */
  drop(name: string): boolean {
    if (!this.collections.has(name)) return false;
    this.#commit({ op: 'drop', collection: name });
    return true;
  }

  /** Applies all changes in one step; a null collection removes the alias. */
  changeAliases(changes: [alias: string, collection: string | null][]): void {
    for (const [alias, target] of changes) {
      if (target !== null && !this.collections.has(target)) this.collection(target);
      if (this.collections.has(alias)) {
        throw new StoreError(409, `Wrong input: Collection \`${alias}\` already exists!`);
      }
    }
    this.#commit({ op: 'alias', changes });
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
      this.collections.set(collection, { size, rows, points: new Map() });
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
    } else if (entry.op === 'delete') {
      const collection = this.collection(entry.collection);
      for (const id of entry.ids) remove(collection, id);
    } else if (entry.op === 'upsert') {
      const collection = this.collection(entry.collection);
      for (const point of entry.points) put(collection, point);
    }
  }

  #livingEntries(): number {
    let count = this.aliases.size;
    for (const { points } of this.collections.values()) count += 1 + points.size;
    return count;
  }

  *#entries(): Generator<Entry> {
    for (const [collection, { size, rows, points }] of this.collections) {
      yield { op: 'create', collection, size };
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
