/**
 * Tasks that try to change the language for their neighbours, and tasks that must not suffer of it.
 */
import { Type } from 'typebox';
import { defineTask, type Task } from '../../../jobs/framework/define.ts';

const transient = {
  durable: false,
  result: Type.Unknown(),
  maxRetries: 0,
  payload: Type.Object({}),
} as const;

const ATTACKS: Record<string, () => unknown> = {
  'Array.prototype.map': () => Object.assign(Array.prototype, { map: () => ['poison'] }),
  'Object.prototype': () => Object.assign(Object.prototype, { poison: 1 }),
  'JSON.parse': () => (JSON.parse = () => 'poison'),
  'Promise.prototype.then': () => Reflect.set(Promise.prototype, 'then', () => 'poison'),
  JSON: () => Object.assign(globalThis, { JSON: { parse: () => 'poison' } }),
  fetch: () => Object.assign(globalThis, { fetch: () => 'poison' }),
  'Object.prototype.toString': () => Object.assign(Object.prototype, { toString: () => 'poison' }),
  'the iterator of arrays': () =>
    Object.assign(Object.getPrototypeOf([][Symbol.iterator]()) as object, { next: () => 'poison' }),
  'a method of a method': () => Object.assign(Array.prototype.map, { call: () => 'poison' }),
  'Error.captureStackTrace': () => Object.assign(Error, { captureStackTrace: () => 'poison' }),
  'delete Array.prototype.map': () => Reflect.deleteProperty(Array.prototype, 'map'),
  'Map.prototype.get': () =>
    Reflect.defineProperty(Map.prototype, 'get', { value: () => 'poison' }),
};

/** Tries to change the language for its neighbours. @returns what it got away with. */
const vandal = defineTask({
  ...transient,
  name: 'test.vandal',
  async run() {
    return Object.entries(ATTACKS).flatMap(([name, attack]) => {
      try {
        return attack() === false ? [] : [name];
      } catch (error) {
        return error instanceof TypeError ? [] : [name];
      }
    });
  },
});

/** Does to its own objects what frozen prototypes would forbid, and what packages do to errors. */
const craftsman = defineTask({
  ...transient,
  name: 'test.craftsman',
  async run() {
    const own = Object.assign({}, { toString: () => 'own', constructor: 1 });
    const error = Object.assign(new TypeError('old'), { name: 'Own', message: 'new', toString: 1 });
    const list = Object.assign([1], { toString: () => 'list' });
    Error.stackTraceLimit = 5;
    Error.stackTraceLimit = 10;
    return [String(own), error.name, error.message, String(list), Object.keys(own).length];
  },
});

/** Uses what a vandal would change. */
const neighbour = defineTask({
  ...transient,
  name: 'test.neighbour',
  payload: Type.Object({ list: Type.Array(Type.Integer()) }),
  async run({ list }) {
    const doubled = await Promise.resolve(list.map((each) => each * 2));
    const extra = Object.keys(Object.prototype).concat(Reflect.has({}, 'poison') ? 'poison' : []);
    const parsed: unknown = JSON.parse('[1]');
    return { doubled, extra, parsed, got: new Map([[1, 2]]).get(1) };
  },
});

export const VANDALS: Task[] = [vandal, craftsman, neighbour];
