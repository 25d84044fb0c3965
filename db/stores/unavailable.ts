/**
 * Marks what our own clients throw because their store is unavailable. A task may call other servers and throw what looks the same:
 * only the mark counts.
 */
import type { Store } from './store.ts';

const marked = new WeakSet<object>();

/** @returns the same error. */
export function markUnavailable<E extends Error>(error: E): E {
  marked.add(error);
  return error;
}

/** Whether one of our clients threw this because its store is unavailable. */
export function isMarkedUnavailable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && marked.has(error);
}

/**
 * Makes calls to a store. Marks what they throw if the store is unavailable.
 * @param calls nothing else, and no code of a task.
 */
export async function callStore<T>(
  { isUnavailable }: Pick<Store, 'isUnavailable'>,
  calls: () => Promise<T>,
): Promise<T> {
  try {
    return await calls();
  } catch (error) {
    if (error instanceof Error && isUnavailable(error)) markUnavailable(error);
    throw error;
  }
}
