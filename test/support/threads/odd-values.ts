/**
 * Values that misbehave when they are read, written or copied, and tasks that throw, log, report and return them.
 */
import { connect } from 'node:net';
import fc from 'fast-check';
import { Type, type Static } from 'typebox';
import { AppError } from '../../../base/errors.ts';
import { defineTask } from '../../../jobs/define.ts';
import type { TaskContext } from '../../../jobs/framework/context.ts';
import { Reject, Retry } from '../../../jobs/framework/errors.ts';

const unwilling = (): never => {
  throw new Error('unwilling');
};

const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

/** Each trap of a proxy throws. */
const hostile = (target: object): object =>
  new Proxy(target, new Proxy({}, { get: () => unwilling }));

const having = (target: object, properties: Record<string, unknown>): object => {
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true });
  }
  return target;
};

const guarded = (target: object, ...names: string[]): object => {
  for (const name of names) {
    Object.defineProperty(target, name, { get: unwilling, enumerable: true });
  }
  return target;
};

const circular = (): object => {
  const error = new Error('round');
  error.cause = new AggregateError([error, { error }], 'all', { cause: error });
  return error;
};

/** `stack` first: replacing it reads the others. */
const READ = ['stack', 'name', 'message', 'code', 'cause', 'errors', 'status', 'toJSON', 'then'];
const HUGE = 'https://user:canary'.padEnd(5_000_000, 'x');

/** Made anew each time, as some are used up. */
export const MISBEHAVING: readonly (() => unknown)[] = [
  () => having(new Error(), { message: { an: 'object' } }),
  () => having(new Error('list'), { stack: ['a', 'list'] }),
  () => having(new Error('none'), { stack: null, name: undefined }),
  () => having(new Error('bigint'), { code: 5n }),
  () => having(new Error('symbol'), { code: Symbol('code'), name: Symbol('name') }),
  () =>
    having(new Error('texts'), { message: { toString: unwilling }, code: { toJSON: unwilling } }),
  () => guarded(new Error('guarded'), ...READ),
  () => guarded({}, ...READ),
  () => guarded(new AggregateError([], 'guarded'), 'errors'),
  () => having(new AggregateError([], 'odd'), { errors: 7n }),
  () => having(new AggregateError([], 'odd'), { errors: hostile([]) }),
  () =>
    new AggregateError(
      Array.from({ length: 100_000 }, () => new Error('many')),
      'many',
    ),
  () => Object.create(null) as unknown,
  () => having(Object.create(null) as object, { message: 'no prototype' }),
  () => ({ toString: unwilling, valueOf: unwilling, [Symbol.toPrimitive]: unwilling }),
  () => ({ toString: () => ({}), valueOf: () => ({}) }),
  () => revoked({}),
  () => revoked(new Error('revoked')),
  () => revoked([]),
  () => revoked(unwilling),
  () => hostile({}),
  () => hostile(new Error('hostile')),
  () => hostile([]),
  () => Object.create(revoked({})) as unknown,
  () => having(new Error('cause'), { cause: revoked({}) }),
  () => new Reject('TASK_FAILED', 'cause', { cause: hostile({}) }),
  () => having(new Reject('TASK_FAILED', 'reject'), { code: 5n, message: { an: 'object' } }),
  () => having(new Retry('TASK_RETRIED', 'retry'), { countdownMs: 5n }),
  () => having(new Retry('TASK_RETRIED', 'retry'), { countdownMs: Number.NaN }),
  () => having(new Retry('TASK_RETRIED', 'retry'), { atLeastMs: Number.NaN }),
  () => new Retry('TASK_RETRIED', 'retry', { atLeastMs: Infinity }),
  () => guarded(new AppError('LLM_UNAVAILABLE'), 'code', 'message', 'cause'),
  () => new Reject('TASK_FAILED', HUGE),
  () => new Error(HUGE, { cause: HUGE }),
  () => HUGE,
  circular,
  () => unwilling,
  () => Buffer,
  () => Symbol('odd'),
  () => 5n,
  () => Number.NaN,
  () => '\u0000\ud800',
  () => connect({ host: '127.0.0.1', port: 9 }).on('error', () => undefined),
  () => new Map<unknown, unknown>([[{}, unwilling]]),
  () => new WeakMap(),
  () => Promise.resolve(unwilling),
  () => new SharedArrayBuffer(8),
  () => Buffer.alloc(1_000_000),
  () => globalThis,
  () => process,
  () => new Date(Number.NaN),
  () => ({ toJSON: unwilling }),
  () => ({ toJSON: () => undefined }),
  () => ({ toJSON: () => HUGE }),
  () => guarded({}, 'then'),
  () => Array.from({ length: 1_000_000 }, () => 0),
];

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** Misbehaving values, every other time. */
export function oddValue(seed: number): unknown {
  if (seed % 2 === 0) return MISBEHAVING[(seed / 2) % MISBEHAVING.length]!();
  return fc.sample(anything, { seed, numRuns: 1 })[0];
}

const Use = Type.Object({
  seed: Type.Integer(),
  use: Type.Enum(['throw', 'log', 'report', 'return', 'step']),
});
export type OddUse = Static<typeof Use>['use'];

async function useOdd({ seed, use }: Static<typeof Use>, ctx: TaskContext): Promise<unknown> {
  const value = oddValue(seed);
  switch (use) {
    case 'throw':
      throw value;
    case 'log':
      ctx.log(value as string, value as Record<string, unknown>);
      ctx.log('nested', { value, list: [value], error: value });
      return 'logged';
    case 'report':
      ctx.progress(value as number, value as string);
      ctx.progress(0.5, value as string);
      return 'reported';
    case 'step':
      throw new Error('only durable tasks have steps');
    case 'return':
      return value;
  }
}

const result = Type.Unknown();
const LIMITS = { payload: Use, result, maxRetries: 0 } as const;

export const ODD_VALUE_TASKS = [
  defineTask({
    ...LIMITS,
    name: 'test.odd-escape',
    durable: false,
    payload: Type.Object({ seed: Type.Integer() }),
    async run({ seed }) {
      setTimeout(() => {
        throw oddValue(seed);
      });
      await new Promise(() => undefined);
    },
  }),
  defineTask({ ...LIMITS, name: 'test.odd', durable: false, run: useOdd }),
  defineTask({
    ...LIMITS,
    name: 'test.odd-durable',
    async run(payload, ctx) {
      if (payload.use !== 'step') return useOdd(payload, ctx);
      await ctx.transaction('odd', async () => {
        throw oddValue(payload.seed);
      });
      return 'never';
    },
  }),
];
