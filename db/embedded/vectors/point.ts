/**
 * The points of the local vector store, and the validation of client input.
 */
import type { Row } from './rows.ts';

/** An unsigned integer, or a UUID in lower case with hyphens. */
export type PointId = number | string;

export type Payload = Record<string, unknown>;

export interface NewPoint {
  id: PointId;
  /** Normalised to length 1, so that a dot product is the cosine. */
  vector: Float32Array;
  payload: Payload;
}

export interface Point extends Omit<NewPoint, 'vector'> {
  row: Row;
}

export class StoreError extends Error {
  readonly status: number;
  constructor(status: 400 | 404 | 409 | 413, message: string) {
    super(message);
    this.name = 'StoreError';
    this.status = status;
  }
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** @throws {StoreError} 400 unless the value is an unsigned integer or a UUID. */
export function readId(value: unknown): PointId {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && UUID.test(value)) {
    const digits = value.toLowerCase().replaceAll('-', '');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
  throw new StoreError(
    400,
    `Format error in JSON body: value ${JSON.stringify(value)} is not a valid point ID, ` +
      'valid values are either an unsigned integer or a UUID',
  );
}

export function compareIds(a: PointId, b: PointId): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @throws {StoreError} 400 unless the value is a list of `size` finite numbers. */
export function readVector(value: unknown, size: number): number[] {
  if (!Array.isArray(value) || !value.every((item) => Number.isFinite(item))) {
    throw new StoreError(400, 'Wrong input: a vector must be one plain list of numbers');
  }
  if (value.length !== size) {
    throw new StoreError(
      400,
      `Wrong input: Vector dimension error: expected dim: ${size}, got ${value.length}`,
    );
  }
  return value as number[];
}

/** @throws {StoreError} 400 unless the value is an object. */
export function readObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new StoreError(400, `Format error in JSON body: ${what} must be an object`);
}

/** @throws {StoreError} 400 unless the value is a list. */
export function readList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) {
    throw new StoreError(400, `Format error in JSON body: ${what} must be a list`);
  }
  return value;
}

/** Defaults to 10, as in Qdrant. @throws {StoreError} 400 unless the value is a positive integer. */
export function readLimit(value: unknown): number {
  const limit = value ?? 10;
  if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw new StoreError(400, 'Validation error in JSON body: limit must be 1 or larger');
}

/** Refuses options of Qdrant that this store would otherwise ignore. @throws {StoreError} 400 */
export function refuseFields(body: Record<string, unknown>, fields: readonly string[]): void {
  for (const field of fields) {
    if (body[field] !== undefined && body[field] !== null) {
      throw new StoreError(400, `Wrong input: the local vector store has no \`${field}\``);
    }
  }
}
