/**
 * Qdrant's payload filters, compiled to a predicate: must, should, must_not and min_should over match, range, has_id,
 * is_empty, is_null and nested filters. A field that holds a list meets a condition when one of its items does.
 */
import {
  isObject,
  readCount,
  readId,
  readList,
  readObject,
  StoreError,
  type Point,
} from './point.ts';

export type Predicate = (point: Point) => boolean;
type ValueTest = (value: unknown) => boolean;

const CLAUSES = new Set(['must', 'should', 'must_not', 'min_should']);

/** @throws {StoreError} 400 for a condition this store does not know. No filter lets every point pass. */
export function compileFilter(filter: unknown): Predicate {
  if (filter === undefined || filter === null) return () => true;
  const clauses = readObject(filter, 'filter');
  for (const name of Object.keys(clauses)) {
    if (!CLAUSES.has(name)) throw unknown(`filter clause \`${name}\``);
  }
  const must = compileAll(clauses['must']);
  const mustNot = compileAll(clauses['must_not']);
  const should = compileAll(clauses['should']);
  const enough = compileMinShould(clauses['min_should']);
  return (point) =>
    must.every((holds) => holds(point)) &&
    !mustNot.some((holds) => holds(point)) &&
    (should.length === 0 || should.some((holds) => holds(point))) &&
    enough(point);
}

function compileAll(conditions: unknown): Predicate[] {
  if (conditions === undefined || conditions === null) return [];
  return (Array.isArray(conditions) ? conditions : [conditions]).map(compileCondition);
}

function compileMinShould(clause: unknown): Predicate {
  if (clause === undefined || clause === null) return () => true;
  const { conditions, min_count: minCount } = readObject(clause, 'min_should');
  const least = readCount(minCount, 'min_count', 0, 0);
  const tests = compileAll(conditions);
  return (point) => tests.filter((holds) => holds(point)).length >= least;
}

function compileCondition(value: unknown): Predicate {
  const condition = readObject(value, 'condition');
  if ('has_id' in condition) {
    const ids = new Set(readList(condition['has_id'], 'has_id').map(readId));
    return ({ id }) => ids.has(id);
  }
  if (isObject(condition['is_empty'])) return compileIsEmpty(readKey(condition['is_empty']));
  if (isObject(condition['is_null'])) return compileIsNull(readKey(condition['is_null']));
  if ('key' in condition) return compileField(condition);
  return compileFilter(condition);
}

function compileField(condition: Record<string, unknown>): Predicate {
  const key = readKey(condition);
  const tests: Predicate[] = [];
  for (const [name, value] of Object.entries(condition)) {
    if (name === 'key' || value === null || value === undefined) continue;
    if (name === 'match') tests.push(anyValue(key, compileMatch(value)));
    else if (name === 'range') tests.push(anyValue(key, compileRange(value)));
    else if (name === 'is_empty') tests.push(expecting(value, compileIsEmpty(key)));
    else if (name === 'is_null') tests.push(expecting(value, compileIsNull(key)));
    else throw unknown(`condition \`${name}\``);
  }
  if (tests.length === 0) throw unknown('condition without a test');
  return (point) => tests.every((holds) => holds(point));
}

function expecting(expected: unknown, test: Predicate): Predicate {
  return (point) => test(point) === expected;
}

function anyValue(key: string, test: ValueTest): Predicate {
  // Most fields are the payload's own, and most hold one value.
  if (/[.[]/.test(key)) {
    return ({ payload }) => valuesAt(payload, key).some((value) => test(value));
  }
  return ({ payload }) => {
    const value = payload[key];
    if (Array.isArray(value)) return value.some((one) => test(one));
    return key in payload && test(value);
  };
}

function compileIsEmpty(key: string): Predicate {
  return ({ payload }) => valuesAt(payload, key).every((value) => value === null);
}

function compileIsNull(key: string): Predicate {
  return ({ payload }) => valuesAt(payload, key).includes(null);
}

function compileMatch(match: unknown): ValueTest {
  const { value, any, except, text, ...others } = readObject(match, 'match');
  if (value !== undefined) return (found) => found === value;
  if (any !== undefined) {
    const wanted = new Set(readList(any, 'any'));
    return (found) => wanted.has(found);
  }
  if (except !== undefined) {
    const unwanted = new Set(readList(except, 'except'));
    return (found) => found !== null && !unwanted.has(found);
  }
  // Without a full-text index Qdrant looks for a substring too.
  if (typeof text === 'string') return (found) => typeof found === 'string' && found.includes(text);
  throw unknown(`match \`${Object.keys(others).join(', ')}\``);
}

const COMPARISONS: Record<string, (value: number, bound: number) => boolean> = {
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
};

/** Numbers against numbers, or times against times when the bounds are RFC 3339 text. */
function compileRange(range: unknown): ValueTest {
  const bounds = Object.entries(readObject(range, 'range')).filter(([, bound]) => bound !== null);
  const tests = bounds.map(([name, bound]): ValueTest => {
    const compare = COMPARISONS[name];
    if (compare === undefined) throw unknown(`range \`${name}\``);
    if (typeof bound === 'number')
      return (found) => typeof found === 'number' && compare(found, bound);
    const time = typeof bound === 'string' ? Date.parse(bound) : Number.NaN;
    if (Number.isNaN(time))
      throw new StoreError(400, `Format error in JSON body: range \`${name}\``);
    return (found) => typeof found === 'string' && compare(Date.parse(found), time);
  });
  return (found) => tests.every((holds) => holds(found));
}

/** Values of a dotted path; a list yields its items, and `[]` after a segment goes through a list of objects. */
function valuesAt(payload: unknown, key: string): unknown[] {
  let found: unknown[] = [payload];
  for (const segment of key.split('.')) {
    const name = segment.replace(/\[\]$/, '');
    found = found.flatMap((value) => (isObject(value) && name in value ? [value[name]] : []));
    if (name !== segment) found = found.flat();
  }
  return found.flat();
}

function readKey(holder: Record<string, unknown>): string {
  if (typeof holder['key'] === 'string') return holder['key'];
  throw new StoreError(400, 'Format error in JSON body: `key` must be text');
}

function unknown(what: string): StoreError {
  return new StoreError(400, `Wrong input: the local vector store has no ${what}`);
}
