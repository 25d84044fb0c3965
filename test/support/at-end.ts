import type { TestContext } from 'node:test';

const pending = new WeakMap<TestContext, (() => unknown)[]>();

/** Undoes something when the test ends: the last first, unlike `t.after`, as later things stand on earlier ones. */
export function atEnd(t: TestContext, undo: () => unknown): void {
  const undos = pending.get(t);
  if (undos !== undefined) return void undos.push(undo);
  const all = [undo];
  pending.set(t, all);
  t.after(async () => {
    const failures: unknown[] = [];
    for (const next of all.toReversed()) {
      try {
        await next();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  });
}
