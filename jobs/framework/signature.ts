/** A signature: a task with its payload and options, inert until it is enqueued. */
import type { Static, TSchema } from 'typebox';
import type { CallOptions, DurableCallOptions } from './options.ts';
import type { Policy } from './policy.ts';

/** Everything about a task except its code. */
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

export interface Signable<P extends TSchema, O extends CallOptions> {
  s(payload: Static<P>, options?: O): Signature;
}

/** @returns a copy in which these options override the signature's own. */
export function withOptions(signature: Signature, options: DurableCallOptions): Signature {
  return { ...signature, options: { ...signature.options, ...options } };
}
