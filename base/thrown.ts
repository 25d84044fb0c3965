/**
 * Reads what was thrown, which may be anything: an object whose getters throw, one without a prototype, a revoked proxy. Nothing here
 * throws.
 */

/** Like `instanceof`; false for a value whose prototypes cannot be read. */
export function isInstance<T>(
  value: unknown,
  type: abstract new (...args: never[]) => T,
): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** @returns undefined when the value lacks the property, or reading it throws. */
export function propertyOf(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** What stands for a value that cannot be read. */
export const UNREADABLE = 'It has no text.';

/** The value as text; `UNREADABLE` when its conversion throws. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return UNREADABLE;
  }
}

/** The message of an error; anything else as text. */
export function messageOf(error: unknown): string {
  return textOf(isInstance(error, Error) ? propertyOf(error, 'message') : error);
}
