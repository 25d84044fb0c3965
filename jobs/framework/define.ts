/** Task definitions: a name, schemas for payload and result, a policy and `run`. */
import type { Static, TSchema } from 'typebox';
import type { CallOptions, DurableCallOptions } from './options.ts';
import { readPolicy, type PolicyOptions } from './policy.ts';
import type { DurableContext, TaskContext } from './context.ts';
import { signableOf, type Signable, type TaskFacts } from './signature.ts';

type Run<P extends TSchema, R extends TSchema, C> = (
  payload: Static<P>,
  ctx: C,
) => Promise<Static<R>>;

/** @typeParam X application-specific additions to `ctx`. */
export interface DurableTask<P extends TSchema = TSchema, R extends TSchema = TSchema, X = object>
  extends TaskFacts<P, R>, Signable<P, R, DurableCallOptions> {
  readonly durable: true;
  readonly run: Run<P, R, DurableContext & X>;
}

export interface TransientTask<P extends TSchema = TSchema, R extends TSchema = TSchema, X = object>
  extends TaskFacts<P, R>, Signable<P, R, CallOptions> {
  readonly durable: false;
  readonly run: Run<P, R, TaskContext & X>;
}

/** Any task whose `ctx` includes `X`. Payloads are validated by schema at run time, not by the compiler. */
export type Task<X = object> = TaskFacts &
  Signable<TSchema, TSchema, CallOptions> &
  (
    | {
        readonly durable: true;
        readonly run: (payload: never, ctx: DurableContext & X) => Promise<unknown>;
      }
    | {
        readonly durable: false;
        readonly run: (payload: never, ctx: TaskContext & X) => Promise<unknown>;
      }
  );

type Definition<P extends TSchema, R extends TSchema> = Pick<
  TaskFacts<P, R>,
  'name' | 'payload' | 'result'
> &
  PolicyOptions;

export interface DefineTask<X> {
  /**
   * Defines a task. When `durable` (the default), `ai.tasks` is the source of truth and `ctx` has `step` and `transaction`; with
   * `durable: false` the task lives only in Redis. Policy and defaults: policy.ts.
   * @throws {TaskDefinitionError} with every problem of the policy.
   */
  <P extends TSchema, R extends TSchema>(
    definition: Definition<P, R> & { durable?: true; run: DurableTask<P, R, X>['run'] },
  ): DurableTask<P, R, X>;
  <P extends TSchema, R extends TSchema>(
    definition: Definition<P, R> & { durable: false; run: TransientTask<P, R, X>['run'] },
  ): TransientTask<P, R, X>;
}

/** @returns `defineTask` for an application whose `connect` adds `X` to the `ctx` of its tasks. */
export function definerOf<X>(): DefineTask<X> {
  return define as DefineTask<X>;
}

/** `defineTask` for tasks that need no application resources. */
export const defineTask = definerOf<object>();

function define({
  run,
  ...definition
}: Definition<TSchema, TSchema> & { durable?: boolean; run: unknown }): unknown {
  const facts: TaskFacts = { durable: true, ...definition, ...readPolicy(definition) };
  return { ...facts, run, ...signableOf(facts) };
}
