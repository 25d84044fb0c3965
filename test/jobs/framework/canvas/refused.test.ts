/** Compositions without a plan, also from callers without types. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { chain, group, linkError, onError } from '../../../../jobs/framework/canvas/combinators.ts';
import { planOf } from '../../../../jobs/framework/canvas/compile.ts';
import type { AnyPart, Composition } from '../../../../jobs/framework/canvas/composition.ts';
import { dag } from '../../../../jobs/framework/canvas/dag.ts';
import { chunks } from '../../../../jobs/framework/canvas/over.ts';
import type { DurableCallOptions } from '../../../../jobs/framework/options.ts';
import { any, bare, print, source, transient } from './tasks.ts';

const one = source.s({ n: 1 });
const step = print.s({ k: 1 });
const id = randomUUID();
const named = source.s({ n: 1 }, { id });
const raw = (shape: object): never => ({ shape }) as never;
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** @returns `part` in so many composites. */
function nested(part: AnyPart, depth: number, wrap: (inner: AnyPart) => AnyPart): Composition {
  let made = part;
  for (let level = 0; level < depth; level++) made = wrap(made);
  return made as Composition;
}

const WRAPS: Record<string, (inner: AnyPart) => AnyPart> = {
  chain: (inner) => chain(inner),
  group: (inner) => group([inner]),
  dag: (inner) => dag({ a: { run: inner } }),
  linkError: (inner) => linkError(inner, one),
  onError: (inner) => onError(inner, 'fail'),
};

const REFUSED: Record<string, [composition: unknown, message: RegExp]> = {
  nothing: [undefined, /neither/],
  null: [null, /neither/],
  'a text': ['chain', /neither/],
  'a task instead of its signature': [source, /neither/],
  'a signature without options': [{ task: source, payload: {} }, /neither/],
  'a signature of a task without a name': [{ task: {}, payload: {}, options: {} }, /neither/],
  'a part that is none': [chain(one, {} as never), /neither/],
  'a part of a group that is none': [group([one, null as never]), /neither/],
  'a hole in a group': [raw({ kind: 'group', parts: Array(1) }), /neither/],
  'an unknown shape': [raw({ kind: 'loop', parts: [one] }), /neither/],
  'a chain without an array': [raw({ kind: 'chain', parts: one }), /array/],
  'a group without an array': [group(undefined as never), /array/],
  'an empty chain': [chain(), /no parts/],
  'an empty chain after a task': [chain(one, chain()), /no parts/],
  'an empty dag': [dag({}), /no nodes/],
  'a dag of nothing': [dag(undefined as never), /no nodes/],
  'a dag that is a text': [raw({ kind: 'dag', nodes: 'nodes' }), /no nodes/],
  'a node that is none': [dag({ a: null as never }), /neither/],
  'a node without work': [raw({ kind: 'dag', nodes: { a: 5 } }), /neither/],
  'an edge to nowhere': [
    dag({ abc: { run: one, after: ['abd' as 'abc'] } }),
    /abd.*Did you mean abc/,
  ],
  'an edge to a property of objects': [
    dag({ a: { run: one, after: ['toString' as 'a'] } }),
    /toString/,
  ],
  'an edge to itself': [dag({ a: { run: one, after: ['a'] } }), /cycle: .*a/],
  'a cycle': [
    dag({
      root: { run: one },
      a: { run: one, after: ['root', 'c'] },
      b: { run: one, after: ['a'] },
      c: { run: one, after: ['b'] },
    }),
    /cycle: look at a, b, c\./,
  ],
  'the same edge twice': [
    dag({ a: { run: one }, b: { run: one, after: ['a', 'a'] } }),
    /different/,
  ],
  'edges that are no array': [dag({ a: { run: one, after: 'a' as never } }), /different/],
  'edges that are no texts': [dag({ a: { run: one, after: [1] as never } }), /different/],
  'a name that Postgres cannot store': [dag({ ['a\0']: { run: one } }), /NUL/],
  'a step with nothing before it': [step, /nothing is before/],
  'a step at the start of a chain': [chain(step), /nothing is before/],
  'a step in a first group': [group([one, step]), /nothing is before/],
  'a step at a root': [dag({ a: { run: one }, b: { run: step } }), /nothing is before/],
  'a transient task': [transient.s({}), /not durable/],
  'a transient task after another': [chain(one, transient.s({})), /not durable/],
  'a transient task after a failure': [linkError(one, transient.s({})), /not durable/],
  'a composite after a failure': [linkError(one, chain(one) as never), /linkError takes/],
  'a step after a failure': [linkError(one, step as never), /linkError takes/],
  'nothing after a failure': [linkError(one, undefined as never), /linkError takes/],
  'an unknown policy': [onError(one, 'skip' as never), /policy/],
  'the same id twice': [chain(one, group([named, source.s({ n: 2 }, { id })])), /two tasks/],
  'the same signature with an id twice': [group([named, named]), /two tasks/],
  'the same id after a failure': [linkError(named, named), /two tasks/],
  '20,001 tasks': [group(times(20_001, (n) => source.s({ n }))), /20000 tasks/],
  '2 to the power of 40 tasks': [nested(one, 40, (inner) => group([inner, inner])), /20000 tasks/],
  '2 to the power of 40 empty groups': [
    nested(group([]), 40, (inner) => group([inner, inner])),
    /100000 connections/,
  ],
  '10,001 links': [group(times(10_001, () => linkError(group([]), one))), /10000 uses/],
};

describe('refused:', () => {
  for (const [name, [composition, message]] of Object.entries(REFUSED)) {
    test(name, () => {
      const error = { name: 'AppError', code: 'GRAPH_INVALID', status: 400, message };
      assert.throws(() => planOf(composition as Composition), error);
    });
  }

  for (const [name, wrap] of Object.entries(WRAPS)) {
    test(`a ${name} nested deeper than 50`, () => {
      assert.ok(planOf(nested(one, 50, wrap)).nodes.length > 0);
      for (const depth of [51, 100_000]) {
        const composition = nested(one, depth, wrap);
        assert.throws(() => planOf(composition), { code: 'GRAPH_INVALID', message: /50 deep/ });
      }
    });
  }

  for (const size of [0, -1, 1.5, Number.NaN, '2' as never]) {
    test(`chunks of ${size}`, () => {
      assert.throws(() => chunks(bare, [1], size), { code: 'GRAPH_INVALID' });
    });
  }
});

const KEYS: DurableCallOptions = { dedupeKey: 'key', userId: 'u-1' };
const NEVER: DurableCallOptions[] = [
  { idempotencyKey: 'key' },
  { debounceMs: 5 },
  { trailing: false },
  { maxWaitMs: 5 },
];
const AT_ONCE: DurableCallOptions[] = [
  { dedupeKey: 'key' },
  { uniqueForMs: 5 },
  { inputHash: 'hash' },
  { quota: { most: 1, withinMs: 1 } },
];

describe('options', () => {
  const refusedIn = (composition: Composition, option: string): void =>
    assert.throws(() => planOf(composition), {
      code: 'GRAPH_INVALID',
      message: new RegExp(`option ${option}:`),
    });

  for (const options of NEVER) {
    const [option = ''] = Object.keys(options);
    test(`${option} is refused`, () => {
      refusedIn(source.s({ n: 1 }, options), option);
      refusedIn(chain(one, source.s({ n: 1 }, options)), option);
      refusedIn(linkError(one, source.s({ n: 1 }, options)), option);
    });
  }

  for (const options of AT_ONCE) {
    const [option = ''] = Object.keys(options);
    test(`${option} is for what starts at once`, () => {
      const call = source.s({ n: 1 }, options);
      const first = chain(group([call]), any.s({}));
      assert.equal(planOf(first).nodes.length, 3);
      assert.equal(planOf(dag({ a: { run: call } })).nodes.length, 2);
      refusedIn(chain(one, call), option);
      refusedIn(chain(group([]), group([call])), option);
      refusedIn(dag({ a: { run: one }, b: { run: call, after: ['a'] } }), option);
      refusedIn(linkError(one, call), option);
    });
  }

  test('others, and those not given, are accepted', () => {
    const options = { id, priority: 3, countdownMs: 5, userId: 'u-1', dedupeKey: undefined };
    assert.equal(planOf(chain(one, print.s({ k: 1 }, options))).nodes.length, 2);
    assert.equal(planOf(source.s({ n: 1 }, KEYS)).nodes.length, 1);
  });
});

test('what is as large as allowed has a plan', () => {
  assert.equal(planOf(group(times(20_000, (n) => source.s({ n })))).nodes.length, 20_001);
  const nodes = times(20_000, (n) => [`n${n}`, { run: one, after: n === 0 ? [] : [`n${n - 1}`] }]);
  assert.equal(planOf(dag(Object.fromEntries(nodes) as never)).nodes.length, 20_001);
  assert.equal(planOf(chain(...times(20_000, () => one))).nodes.length, 20_000);
});
