/**
 * What a task cannot change for its neighbours on the same thread: the language. `--frozen-intrinsics` freezes the built-in
 * objects and their prototypes, and lets objects that inherit from them have properties of the same name as ever; the names
 * in the global scope are locked here. What costs it and what it leaves open: docs/workers.md.
 */

/**
 * Piscina tries `require` before `import`, and Node.js (20 at least) aborts the whole process when a thread is ended while it
 * requires an ES module. Without that ability `require` refuses at once, and `import` ends with its thread.
 */
const IMPORT_ONLY = '--no-experimental-require-module';

/** Flags of Node.js a thread is started with. The second warns in every thread that it is experimental. */
export const THREAD_FLAGS = [
  IMPORT_ONLY,
  '--frozen-intrinsics',
  '--disable-warning=ExperimentalWarning',
] as const;

/**
 * Makes global names read-only: `JSON = ...` throws, as does `delete globalThis.fetch`. Names that Node.js defines when they are
 * first used, and which have not been, stay as they are.
 */
export function lockGlobals(): void {
  for (const [name, found] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
    if (found.configurable !== true) continue;
    if ('value' in found) {
      Object.defineProperty(globalThis, name, { writable: false, configurable: false });
    } else if (name === 'process' || name === 'Buffer') {
      const value: unknown = found.get?.call(globalThis);
      Object.defineProperty(globalThis, name, { value, writable: false, configurable: false });
    }
  }
}
