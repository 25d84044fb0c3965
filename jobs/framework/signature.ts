/**
 * A task with its payload and options: a value that does nothing until it is enqueued.
 */
import type { Static, TSchema } from 'typebox';
import type { CallOptions, DurableCallOptions } from './options.ts';
import type { Policy } from './policy.ts';

/** What is known of a task without running it. */
export interface TaskFacts<
  P extends TSchema = TSchema,
  R extends TSchema = TSchema,
> extends Policy {
  readonly name: string;
  readonly payload: P;
  readonly result: R;
  readonly durable: boolean;
}

export interface Signature {
  readonly task: TaskFacts;
  readonly payload: unknown;
  readonly options: DurableCallOptions;
}

/** What makes signatures: a task. */
export interface Signable<P extends TSchema, O extends CallOptions> {
  s(payload: Static<P>, options?: O): Signature;
}

/** The same work with more options, or others. */
export function withOptions(signature: Signature, options: DurableCallOptions): Signature {
  return { ...signature, options: { ...signature.options, ...options } };
}
