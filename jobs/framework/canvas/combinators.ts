/** Puts work together: one after another, side by side, and what happens on failure. `planOf` checks what they made. */
import type { Needs, Signature } from '../signature.ts';
import {
  composite,
  frozen,
  type AnyPart,
  type Composite,
  type ErrorPolicy,
  type NeedsOf,
  type Part,
  type ResultOf,
  type ResultsOf,
} from './composition.ts';

/** The result before each part; what the first one accepts is left open. */
type Before<T extends readonly unknown[], K> = K extends keyof [never, ...ResultsOf<T>]
  ? [never, ...ResultsOf<T>][K]
  : never;
type Last<T extends readonly unknown[]> = T extends readonly [...unknown[], infer L]
  ? L
  : T[number];

/** One part after the other; each accepts the result of the part before it. The result is that of the last part. */
export function chain<T extends readonly AnyPart[]>(
  ...parts: { [K in keyof T]: T[K] & Part<Before<T, K>> }
): Composite<ResultOf<Last<T>>, NeedsOf<T[0]>> {
  return composite({ kind: 'chain', parts: frozen<AnyPart>(parts) });
}

/** All parts side by side, after the same result if one is before the group. The result is the list of theirs, in order. */
export function group<const T extends readonly AnyPart[]>(
  parts: T,
): Composite<ResultsOf<T>, NeedsOf<T[number]>> {
  return composite({ kind: 'group', parts: frozen<AnyPart>(parts) });
}

type Header = readonly AnyPart[] | Composite<readonly unknown[], Needs<never>>;
type HeaderResult<H> = H extends readonly unknown[] ? ResultsOf<H> : ResultOf<H>;
type HeaderNeeds<H> = H extends readonly unknown[] ? NeedsOf<H[number]> : NeedsOf<H>;

/** A group, then a callback that accepts its results. */
export function chord<const H extends Header, C extends Part<HeaderResult<H>>>(
  header: H,
  callback: C,
): Composite<ResultOf<C>, HeaderNeeds<H>> {
  const first = Array.isArray(header) ? group(header) : header;
  return composite({ kind: 'chain', parts: frozen<AnyPart>([first as AnyPart, callback]) });
}

/** Enqueues `signature` once if anything in `part` fails. */
export function linkError<T extends AnyPart>(
  part: T,
  signature: Signature,
): Composite<ResultOf<T>, NeedsOf<T>> {
  return composite({ kind: 'linkError', part, signature });
}

/**
 * Decides what a failure of `part` means for the work around it; the outermost policy counts.
 * @param policy `fail` (the default of every part): the work after it fails too. Otherwise it goes on, and the result is null.
 */
export function onError<T extends AnyPart, E extends ErrorPolicy>(
  part: T,
  policy: E,
): Composite<E extends 'fail' ? ResultOf<T> : ResultOf<T> | null, NeedsOf<T>> {
  return composite({ kind: 'onError', part, policy });
}
