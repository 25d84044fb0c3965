/**
 * Points as the local vector store keeps them, and the checks on what clients send.
 */

import type { Row } from './rows.ts';

/** An unsigned integer, or a UUID in lower case with hyphens. */
export type PointId = number | string;

export type Payload = Record<string, unknown>;

export interface NewPoint {
  id: PointId;
  /** Of length 1, so that a dot product is the cosine. */
  vector: Float32Array;
  payload: Payload;
}

export interface Point extends Omit<NewPoint, 'vector'> {
  /** Of its vector. */
  row: Row;
}

/** A request that cannot be met; `status` is the HTTP status of the answer. */
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

/** The order of pages: numbers first, then UUIDs. */
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
  if (!isObject(value)) {
    throw new StoreError(400, `Format error in JSON body: ${what} must be an object`);
  }
  return value;
}

/** @throws {StoreError} 400 unless the value is a list. */
export function readList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) {
    throw new StoreError(400, `Format error in JSON body: ${what} must be a list`);
  }
  return value;
}

/** A whole number of at least `min`, or `fallback` when there is none. */
export function readCount(value: unknown, what: string, min: number, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (!Number.isSafeInteger(value) || (value as number) < min) {
    throw new StoreError(400, `Validation error in JSON body: ${what} must be ${min} or larger`);
  }
  return value as number;
}

/** Refuses what Qdrant has and this store has not, rather than to answer as if it had not been asked. */
export function refuseFields(body: Record<string, unknown>, fields: readonly string[]): void {
  for (const field of fields) {
    if (body[field] !== undefined && body[field] !== null) {
      throw new StoreError(400, `Wrong input: the local vector store has no \`${field}\``);
    }
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
