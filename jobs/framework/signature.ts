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

declare const RESULT: unique symbol;
declare const NEEDS: unique symbol;

/**
 * What the compiler knows of work, never set at run time.
 * @typeParam R its result.
 * @typeParam N `Needs<P>` if it needs a result P before it, never if it can start at once.
 */
export interface Work<R, N> {
  readonly [RESULT]?: R;
  readonly [NEEDS]?: N;
}

/** A function, as what takes a value also takes a narrower one. */
export type Needs<P> = (previous: P) => void;

/** @typeParam R result of the task. */
export interface Signature<R = unknown> extends Work<R, never> {
  readonly task: TaskFacts;
  readonly payload: unknown;
  readonly options: DurableCallOptions;
}

/**
 * A signature whose payload gets a result of type `P` as its `previous` before the task starts.
 * @typeParam R result of the task.
 */
export interface Step<P = never, R = unknown> extends Work<R, Needs<P>> {
  readonly task: TaskFacts;
  readonly payload: unknown;
  readonly options: DurableCallOptions;
  readonly takesPrevious: true;
}

type TakesPrevious = TSchema & { type: 'object'; properties: { previous: TSchema } };
type Previous<P extends TSchema> = P extends TakesPrevious
  ? Required<Static<P>>['previous']
  : never;
type StepPayload<P extends TSchema> = P extends TakesPrevious
  ? Omit<Static<P>, 'previous'> & { previous?: never }
  : never;

export interface Signable<P extends TSchema, R extends TSchema, O extends CallOptions> {
  /** Without the `previous` of the payload's schema: a step, for a composition. */
  s(payload: StepPayload<P>, options?: O): Step<Previous<P>, Static<R>>;
  /** With the whole payload: work that can start at once. */
  s(payload: Static<P>, options?: O): Signature<Static<R>>;
  /** Immutable: takes the whole payload, and ignores a result before it. */
  si(payload: Static<P>, options?: O): Signature<Static<R>>;
}

/** @returns the `s` and `si` of a task. */
export function signableOf(task: TaskFacts): Signable<TSchema, TSchema, DurableCallOptions> {
  const si = (payload: unknown, options: DurableCallOptions = {}) => ({ task, payload, options });
  return {
    s(payload: unknown, options?: DurableCallOptions) {
      const signature = si(payload, options);
      return lacksPrevious(task.payload, payload)
        ? { ...signature, takesPrevious: true }
        : signature;
    },
    si,
  } as Signable<TSchema, TSchema, DurableCallOptions>;
}

function lacksPrevious(schema: TSchema & { properties?: object }, payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null || Object.hasOwn(payload, 'previous')) {
    return false;
  }
  return schema.properties !== undefined && Object.hasOwn(schema.properties, 'previous');
}

/** @returns a copy in which these options override the signature's own. */
export function withOptions(signature: Signature, options: DurableCallOptions): Signature {
  return { ...signature, options: { ...signature.options, ...options } };
}
