/**
 * Compiles the part of Qdrant's payload filters that this project uses to a predicate: must and must_not over match,
 * range and has_id. A condition on a field that holds a list is met when one item meets it.
 */
import { readId, readList, readObject, StoreError, type Point } from './point.ts';

export type Predicate = (point: Point) => boolean;
type ValueTest = (value: unknown) => boolean;

/** An absent filter accepts every point. @throws {StoreError} 400 for a condition that this store lacks. */
export function compileFilter(filter: unknown): Predicate {
  const { must, must_not: mustNot, ...others } = readObject(filter ?? {}, 'filter');
  refuseOthers('filter clause', others);
  const required = readList(must ?? [], 'must').map(compileCondition);
  const excluded = readList(mustNot ?? [], 'must_not').map(compileCondition);
  return (point) =>
    required.every((holds) => holds(point)) && !excluded.some((holds) => holds(point));
}

function compileCondition(value: unknown): Predicate {
  const { has_id: hasId, key, match, range, ...others } = readObject(value, 'condition');
  refuseOthers('condition', others);
  if (hasId !== undefined) {
    const ids = new Set(readList(hasId, 'has_id').map(readId));
    return ({ id }) => ids.has(id);
  }
  if (typeof key !== 'string') {
    throw new StoreError(400, 'Format error in JSON body: `key` must be text');
  }
  // Qdrant reads these characters as a path into nested objects.
  if (/[.[]/.test(key)) throw lacking(`condition on \`${key}\``);
  const tests = [
    ...(match === undefined ? [] : [compileMatch(match)]),
    ...(range === undefined ? [] : [compileRange(range)]),
  ];
  if (tests.length === 0) throw lacking('condition without a test');
  return ({ payload }) => {
    const found = payload[key];
    const values = Array.isArray(found) ? found : [found];
    return tests.every((holds) => values.some((item) => holds(item)));
  };
}

function compileMatch(match: unknown): ValueTest {
  const { value, any, ...others } = readObject(match, 'match');
  refuseOthers('match', others);
  const wanted = new Set(value === undefined ? readList(any, 'any') : [value]);
  return (found) => wanted.has(found);
}

const COMPARISONS: Record<string, (value: number, bound: number) => boolean> = {
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
};

function compileRange(range: unknown): ValueTest {
  const tests = Object.entries(readObject(range, 'range')).map(([name, bound]): ValueTest => {
    const compare = COMPARISONS[name];
    if (compare === undefined || typeof bound !== 'number') throw lacking(`range \`${name}\``);
    return (found) => typeof found === 'number' && compare(found, bound);
  });
  return (found) => tests.every((holds) => holds(found));
}

function refuseOthers(kind: string, others: object): void {
  const [name] = Object.keys(others);
  if (name !== undefined) throw lacking(`${kind} \`${name}\``);
}

function lacking(what: string): StoreError {
  return new StoreError(400, `Wrong input: the local vector store has no ${what}`);
}
