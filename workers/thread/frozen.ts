/**
 * Freezes built-in objects, prototypes and global names, so that a task cannot change them for others on its thread.
 * Node's `--frozen-intrinsics` also freezes `Error.stackTraceLimit`, which ioredis sets for every error reply: each one
 * broke the connection.
 */

/** Properties that objects commonly override, which a frozen prototype would forbid. */
const OVERRIDDEN = new Set(['constructor', 'name', 'message', 'toString', 'toJSON', 'valueOf']);

/** Prototypes whose properties are all overridden somewhere. */
const OFTEN_OVERRIDDEN: readonly object[] = [Object.prototype, Function.prototype, Error.prototype];

/** Built-in objects without a global name. */
function unnamed(): unknown[] {
  const prototypeOf = Object.getPrototypeOf as (value: unknown) => unknown;
  return [
    prototypeOf(async () => undefined),
    prototypeOf(function* () {}),
    prototypeOf(async function* () {}),
    prototypeOf([][Symbol.iterator]()),
    prototypeOf(new Map()[Symbol.iterator]()),
    prototypeOf(new Set()[Symbol.iterator]()),
    prototypeOf(''[Symbol.iterator]()),
    prototypeOf(''.matchAll(/x/g)),
  ];
}

/** Globals of the language. For those of Node.js, only the binding is locked. */
const NAMES = `
  Object Function Array String Number Boolean Symbol BigInt Date RegExp Error AggregateError
  EvalError RangeError ReferenceError SyntaxError TypeError URIError Promise Proxy Reflect JSON
  Math Intl Map Set WeakMap WeakSet WeakRef FinalizationRegistry ArrayBuffer SharedArrayBuffer
  DataView Atomics Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array
  Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array parseInt parseFloat isNaN
  isFinite encodeURIComponent decodeURIComponent
`;

/** Call it after all packages are loaded. */
export function freezeLanguage(): void {
  const found = new Set<object>();
  const reach = (value: unknown): void => {
    const isObject = typeof value === 'function' || (typeof value === 'object' && value !== null);
    if (isObject) found.add(value);
  };
  for (const name of NAMES.trim().split(/\s+/)) reach(Reflect.get(globalThis, name));
  for (const value of unnamed()) reach(value);
  // Iterating a set includes entries added meanwhile.
  for (const object of found) {
    reach(Object.getPrototypeOf(object));
    for (const [, { value, get, set }] of propertiesOf(object))
      for (const part of [value, get, set]) reach(part);
  }
  for (const object of found) freeze(object);
  lockGlobals();
}

function propertiesOf(object: object): [name: string | symbol, PropertyDescriptor][] {
  return Reflect.ownKeys(object).map((name) => [
    name,
    Reflect.getOwnPropertyDescriptor(object, name)!,
  ]);
}

function freeze(object: object): void {
  const isOften = OFTEN_OVERRIDDEN.includes(object);
  for (const [name, { value, configurable }] of propertiesOf(object)) {
    if (configurable !== true || value === undefined || typeof name === 'symbol') continue;
    if (isOften || (OVERRIDDEN.has(name) && typeof object !== 'function')) {
      allowOverride(object, name, value);
    }
  }
  if (object !== Error) Object.freeze(object);
  else lock(object, (name) => name !== 'stackTraceLimit');
}

/** Lets heirs of a frozen object define this property; the frozen object keeps its own. */
function allowOverride(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    configurable: false,
    get: () => value,
    set(this: object, other: unknown) {
      if (this === object) throw new TypeError(`Cannot assign to ${name} of a built-in object`);
      const own = { value: other, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(this, name, own);
    },
  });
}

/** Globals that Node.js defines lazily stay as they are until first use. */
function lockGlobals(): void {
  for (const name of ['process', 'Buffer']) {
    const value: unknown = Reflect.get(globalThis, name);
    Object.defineProperty(globalThis, name, { value, writable: false, configurable: false });
  }
  lock(globalThis, () => true);
}

function lock(object: object, which: (name: string | symbol) => boolean): void {
  for (const [name, { configurable, get, set }] of propertiesOf(object)) {
    if (configurable !== true || get !== undefined || set !== undefined || !which(name)) continue;
    Object.defineProperty(object, name, { writable: false, configurable: false });
  }
}
