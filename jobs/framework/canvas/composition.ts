/** Compositions: signatures put together, inert until they are enqueued. */
import type { Needs, Signature, Step, Work } from '../signature.ts';

/** What becomes of a composition when a part of it fails: see `onError`. */
export type ErrorPolicy = 'fail' | 'continue' | 'ignore';

export interface DagNode {
  readonly run: AnyPart;
  /** Names of the nodes before it. Default: none. */
  readonly after?: readonly string[];
}

type Shape =
  | { readonly kind: 'chain'; readonly parts: readonly AnyPart[] }
  | { readonly kind: 'group'; readonly parts: readonly AnyPart[] }
  | { readonly kind: 'dag'; readonly nodes: Readonly<Record<string, DagNode>> }
  | { readonly kind: 'linkError'; readonly part: AnyPart; readonly signature: Signature }
  | { readonly kind: 'onError'; readonly part: AnyPart; readonly policy: ErrorPolicy };

/** @typeParam N as in `Work`. */
export interface Composite<R = unknown, N = never> extends Work<R, N> {
  readonly shape: Shape;
}

/** Work with the result `R` that can start at once. */
export type Composition<R = unknown> = Signature<R> | Composite<R>;

/** Work with the result `R` that accepts a result of type `P` before it. */
export type Part<P = never, R = unknown> = Signature<R> | Step<P, R> | Composite<R, Needs<P>>;

export type AnyPart = Part;

export type ResultOf<T> = T extends Work<infer R, unknown> ? R : never;
export type NeedsOf<T> = T extends Work<unknown, infer N> ? N : never;
export type ResultsOf<T extends readonly unknown[]> = { -readonly [K in keyof T]: ResultOf<T[K]> };

/** @returns the frozen composite. */
export function composite<R, N>(shape: Shape): Composite<R, N> {
  return Object.freeze({ shape: Object.freeze(shape) });
}

/** @returns a frozen copy. What is no array, from a caller without types, is left to `planOf`. */
export function frozen<T>(items: readonly T[]): readonly T[] {
  const isList: boolean = Array.isArray(items);
  return isList ? Object.freeze([...items]) : items;
}
