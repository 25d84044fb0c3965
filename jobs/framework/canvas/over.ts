/** The same task over a list. Each call takes its whole payload, and ignores a result before it. */
import type { Static, TSchema } from 'typebox';
import type { DurableCallOptions } from '../options.ts';
import type { Signable, TaskFacts } from '../signature.ts';
import { group } from './combinators.ts';
import type { Composite } from './composition.ts';
import { invalid } from './read.ts';

type Callable<P extends TSchema, R extends TSchema> = TaskFacts<P, R> & {
  readonly durable: true;
} & Signable<P, R, DurableCallOptions>;

/** A group of one call for each payload. */
export function map<P extends TSchema, R extends TSchema>(
  task: Callable<P, R>,
  payloads: readonly Static<P>[],
): Composite<Static<R>[]> {
  return group(listOf(payloads, 'payloads of a map').map((payload) => task.si(payload)));
}

/** A group of one call for each tuple; `toPayload` gets its values as arguments. */
export function starmap<P extends TSchema, R extends TSchema, T extends readonly unknown[]>(
  task: Callable<P, R>,
  tuples: readonly T[],
  toPayload: (...values: T) => Static<P>,
): Composite<Static<R>[]> {
  return map(
    task,
    listOf(tuples, 'tuples of a starmap').map((values) => toPayload(...values)),
  );
}

type ItemsOf<Payload> = Payload extends { items: infer I extends readonly unknown[] } ? I : never;
type Fixed<Payload> =
  Partial<Payload> extends Omit<Payload, 'items'>
    ? [fixed?: Omit<Payload, 'items'>]
    : [fixed: Omit<Payload, 'items'>];

/**
 * A group of calls that share the list: `items` of each payload has at most `size` of them.
 * @param fixed the other fields of every payload.
 * @throws {AppError} `GRAPH_INVALID` unless `size` is a whole number of at least 1.
 */
export function chunks<P extends TSchema, R extends TSchema>(
  task: Callable<P, R>,
  items: ItemsOf<Static<P>>,
  size: number,
  ...[fixed]: Fixed<Static<P>>
): Composite<Static<R>[]> {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw invalid('The size of chunks must be a whole number, 1 or more.');
  }
  const { length } = listOf(items, 'items of chunks');
  const starts = Array.from({ length: Math.ceil(length / size) }, (_, n) => n * size);
  return map(
    task,
    starts.map((start) => ({ ...fixed, items: items.slice(start, start + size) }) as Static<P>),
  );
}

/** From a caller without types it may be anything. */
function listOf<T>(value: readonly T[], what: string): readonly T[] {
  const isList: boolean = Array.isArray(value);
  if (!isList) throw invalid(`The ${what} must be an array.`);
  return value;
}
