/** Deterministic ids for tasks that a job enqueues, so that a later attempt repeating a call gets the same task. */
import { createHash } from 'node:crypto';
import type { Composite } from '../canvas/composition.ts';
import type { Signature } from '../signature.ts';

/** One instance per attempt. A counter tells equal calls apart by their order. */
export class ChildIds {
  readonly #parent: string;
  readonly #seen = new Map<string, number>();

  constructor(parent: string) {
    this.#parent = parent;
  }

  /** @throws {TypeError} when the payload cannot be serialised to JSON. */
  next(work: Signature | Composite): string {
    const call =
      'shape' in work ? textOf(work) : `${work.task.name}\n${JSON.stringify(work.payload)}`;
    const count = this.#seen.get(call) ?? 0;
    this.#seen.set(call, count + 1);
    return uuidOf(`${this.#parent}\n${count}\n${call}`);
  }
}

/** @returns the name-based UUID (RFC 9562, version 5) of a text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha1').update(text).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Tasks by their names, as their schemas may change. */
function textOf({ shape }: Composite): string {
  return JSON.stringify(shape, (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'task' in value
      ? { ...value, task: (value as Signature).task.name }
      : value,
  );
}
