/** Copies whatever a task logs into plain JSON data of bounded size. */
import { types } from 'node:util';
import { isInstance, propertyOf, textOf, UNREADABLE } from '../thrown.ts';
import { describeError } from './describe-error.ts';

/** Deepest level of objects. */
const MAX_DEPTH = 4;
/** Most entries of an object or list. */
const MAX_ENTRIES = 50;

/**
 * Errors are described, functions named, dates and the like are what their `toJSON` says. Cuts off what is too deep, too long or too
 * much. Never throws.
 * @param length most characters in all, names included.
 */
export function plainCopy(value: unknown, length: number): unknown {
  return copy(value, MAX_DEPTH, { left: length });
}

interface Room {
  left: number;
}

function copy(value: unknown, depth: number, room: Room): unknown {
  try {
    return copyReadable(value, depth, room);
  } catch {
    return textWithin(UNREADABLE, room);
  }
}

function copyReadable(value: unknown, depth: number, room: Room): unknown {
  if (typeof value === 'string') return textWithin(value, room);
  if (typeof value === 'boolean' || value === null || Number.isFinite(value)) {
    room.left -= 8;
    return value;
  }
  if (typeof value === 'function') return textWithin(`[function ${nameOf(value)}]`, room);
  if (typeof value !== 'object') return textWithin(textOf(value), room);
  if (isInstance(value, Error)) return entriesOf(describeError(value), MAX_DEPTH, room);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    return textWithin(`[${value.byteLength} bytes]`, room);
  }
  const toJson = propertyOf(value, 'toJSON');
  if (typeof toJson === 'function' && depth > 0)
    return copy(toJson.call(value, ''), depth - 1, room);
  if (depth === 0) return textWithin('[…]', room);
  if (!Array.isArray(value)) return entriesOf(value, depth, room);
  const items: unknown[] = [];
  for (const item of value.slice(0, MAX_ENTRIES) as unknown[]) {
    if (room.left <= 0) break;
    items.push(copy(item, depth - 1, room));
  }
  return items;
}

function entriesOf(value: object, depth: number, room: Room): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const name of Object.keys(value)) {
    if (room.left <= 0 || entries.length === MAX_ENTRIES) break;
    const property = propertyOf(value, name);
    if (property === undefined) continue;
    entries.push([textWithin(name, room), copy(property, depth - 1, room)]);
  }
  return Object.fromEntries(entries);
}

function nameOf(value: object): string {
  return textOf(propertyOf(value, 'name'));
}

function textWithin(text: string, room: Room): string {
  const cut = text.slice(0, Math.max(0, room.left));
  room.left -= Math.max(cut.length, 1);
  return cut.length === text.length ? text : `${cut}…`;
}
