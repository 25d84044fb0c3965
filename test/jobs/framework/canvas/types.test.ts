/**
 * What the compiler knows of compositions: `Same` fails the build for another type, and every `@ts-expect-error` when the line
 * below it compiles.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chain,
  chord,
  group,
  linkError,
  onError,
} from '../../../../jobs/framework/canvas/combinators.ts';
import { planOf } from '../../../../jobs/framework/canvas/compile.ts';
import type {
  Composite,
  Composition,
  ResultOf,
} from '../../../../jobs/framework/canvas/composition.ts';
import { dag } from '../../../../jobs/framework/canvas/dag.ts';
import { chunks, map, starmap } from '../../../../jobs/framework/canvas/over.ts';
import type { TaskClient } from '../../../../jobs/framework/calls/client.ts';
import type { Needs, Signature, Step } from '../../../../jobs/framework/signature.ts';
import { any, bare, batch, judge, maybe, merge, print, source, sum, transient } from './tasks.ts';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Fails the build unless it is given as `typed<Same<…>>()`. */
const typed = <T extends true>(): T | void => undefined;

const one = source.s({ n: 1 });

test('a signature has the type of its result, a step also that of what it takes', () => {
  const step = print.s({ k: 1 });
  typed<Same<typeof one, Signature<number>>>();
  typed<Same<typeof step, Step<number, string>>>();
  const whole = print.s({ k: 1, previous: 2 });
  typed<Same<typeof whole, Signature<string>>>();
  const immutable = print.si({ k: 1, previous: 2 });
  typed<Same<typeof immutable, Signature<string>>>();
  const open = maybe.s({});
  typed<Same<typeof open, Step<number, number>>>();
  const alone = maybe.si({});
  typed<Same<typeof alone, Signature<number>>>();
  const unknown: Signature = one;
  // @ts-expect-error its result is a number
  const text: Signature<string> = one;
  assert.equal(unknown, text);
  // @ts-expect-error `si` takes the whole payload
  print.si({ k: 1 });
  // @ts-expect-error the rest of the payload is needed
  print.s({});
  // @ts-expect-error a text is no number
  print.s({ k: 'one' });
  // @ts-expect-error only durable tasks have the option
  transient.s({}, { dedupeKey: 'once' });
});

test('a step is not enqueued', () => {
  const calls = (client: TaskClient) => [
    client.enqueue(one),
    // @ts-expect-error it needs a result before it
    client.enqueue(print.s({ k: 1 })),
    // @ts-expect-error among others too
    client.enqueueMany([one, print.s({ k: 1 })]),
  ];
  assert.equal(calls.length, 1);
});

test('a composition that starts with a step has no plan', () => {
  const refused = [
    // @ts-expect-error it needs a result before it
    () => planOf(print.s({ k: 1 })),
    // @ts-expect-error in a chain
    () => planOf(chain(print.s({ k: 1 }), judge.s({ k: 2 }))),
    // @ts-expect-error in a group
    () => planOf(group([one, print.s({ k: 1 })])),
    // @ts-expect-error in a chord
    () => planOf(chord([one, maybe.s({})], sum.s({ k: 1 }))),
    // @ts-expect-error in a dag
    () => planOf(dag({ a: { run: one }, b: { run: print.s({ k: 1 }) } })),
    // @ts-expect-error with a link
    () => planOf(linkError(print.s({ k: 1 }), one)),
    // @ts-expect-error with a policy
    () => planOf(onError(print.s({ k: 1 }), 'ignore')),
    // @ts-expect-error as what a failure enqueues
    () => planOf(linkError(one, print.s({ k: 1 }))),
    // @ts-expect-error nor is a composite enqueued then
    () => planOf(linkError(one, chain(one))),
    // @ts-expect-error there is no such policy
    () => planOf(onError(one, 'skip')),
    // @ts-expect-error there is no such node
    () => planOf(dag({ a: { run: one }, b: { run: one, after: ['c'] } })),
  ];
  for (const call of refused) assert.throws(call, { code: 'GRAPH_INVALID' });
});

test('each part of a chain accepts the result before it', () => {
  const made = chain(one, print.s({ k: 1 }), judge.s({ k: 2 }), any.s({}), one);
  typed<Same<typeof made, Composite<number>>>();
  const open = chain(print.s({ k: 1 }), judge.s({ k: 2 }));
  typed<Same<typeof open, Composite<boolean, Needs<number>>>>();
  const closed = chain(one, open);
  typed<Same<typeof closed, Composite<boolean>>>();
  const parts = [one, maybe.s({})];
  const many = chain(...parts);
  typed<Same<ResultOf<typeof many>, number>>();
  const wrong = [
    // @ts-expect-error a number is no text
    chain(one, judge.s({ k: 1 })),
    // @ts-expect-error the one in the middle is wrong
    chain(one, print.s({ k: 1 }), sum.s({ k: 1 }), any.s({})),
    // @ts-expect-error a composite is checked like a step
    chain(chain(one, print.s({ k: 1 })), open),
    // @ts-expect-error a list of numbers is no number
    chain(group([one]), print.s({ k: 1 })),
  ];
  // What a text says at run time, a task's schema finds out.
  for (const composition of wrong) assert.ok(planOf(composition).nodes.length > 0);
});

test('the result of a group is the list of its results', () => {
  const made = group([one, chain(one, print.s({ k: 1 }))]);
  typed<Same<typeof made, Composite<[number, string]>>>();
  const many = group([1, 2].map((n) => source.s({ n })));
  typed<Same<typeof many, Composite<number[]>>>();
  const none = group([]);
  typed<Same<typeof none, Composite<[]>>>();
  const after = chain(one, group([print.s({ k: 1 }), one, maybe.s({})]));
  typed<Same<typeof after, Composite<[string, number, number]>>>();
  // @ts-expect-error one of them accepts no number
  const wrong = chain(one, group([print.s({ k: 1 }), judge.s({ k: 1 })]));
  assert.equal(planOf(wrong as Composition).nodes.length, 5);
});

test('the callback of a chord accepts the list', () => {
  const made = chord([one, one], sum.s({ k: 1 }));
  typed<Same<typeof made, Composite<number>>>();
  const mapped = chord(map(source, [{ n: 1 }]), sum.s({ k: 1 }));
  typed<Same<typeof mapped, Composite<number>>>();
  const open = chord([print.s({ k: 1 })], one);
  typed<Same<typeof open, Composite<number, Needs<number>>>>();
  const wrong = [
    // @ts-expect-error it accepts a number
    chord([one, one], print.s({ k: 1 })),
    // @ts-expect-error a list of texts is no list of numbers
    chord(group([chain(one, print.s({ k: 1 }))]), sum.s({ k: 1 })),
    // @ts-expect-error the result before it is no list
    chord(chain(one), any.s({})),
  ];
  for (const composition of wrong) assert.ok(planOf(composition as Composition).nodes.length > 0);
});

test('a list over a task has payloads that fit', () => {
  const made = [
    map(source, [{ n: 1 }, { n: 2 }]),
    starmap(source, [[1, 2] as const], (a, b) => ({ n: a + b })),
    chunks(batch, [1, 2, 3], 2, { unit: 'm' }),
  ];
  typed<Same<typeof made, Composite<number[]>[]>>();
  const plain = chunks(bare, [1], 1);
  typed<Same<typeof plain, Composite<null[]>>>();
  const wrong = [
    // @ts-expect-error a text is no number
    map(source, [{ n: 'one' }]),
    // @ts-expect-error the whole payload, as a result before it is ignored
    map(print, [{ k: 1 }]),
    // @ts-expect-error a text is no number
    starmap(source, [['1']], (n) => ({ n })),
    // @ts-expect-error the other field is missing
    chunks(batch, [1], 1),
    // @ts-expect-error the items are numbers
    chunks(bare, ['1'], 1),
    // @ts-expect-error its payload has no items
    chunks(source, [1], 1),
  ];
  for (const composition of wrong) assert.equal(planOf(composition as Composition).nodes.length, 2);
  // @ts-expect-error it is not durable
  assert.throws(() => planOf(map(transient, [{}])), { code: 'GRAPH_INVALID' });
});

test('a node of a dag accepts the result of its predecessor, or those of several by name', () => {
  const made = dag({
    both: { run: merge.s({}), after: ['a', 'b'] },
    a: { run: one },
    b: { run: print.s({ k: 1 }), after: ['a'] },
  });
  typed<Same<typeof made, Composite<{ both: null; a: number; b: string }>>>();
  const open = dag({ a: { run: print.s({ k: 1 }) }, b: { run: judge.s({ k: 1 }), after: ['a'] } });
  typed<Same<typeof open, Composite<{ a: string; b: boolean }, Needs<number>>>>();
  const wrong = [
    // @ts-expect-error a number is no text
    dag({ a: { run: one }, b: { run: judge.s({ k: 1 }), after: ['a'] } }),
    // @ts-expect-error b is missing
    dag({ a: { run: one }, c: { run: one }, both: { run: merge.s({}), after: ['a', 'c'] } }),
  ];
  for (const composition of wrong) assert.ok(planOf(composition).nodes.length > 0);
});

test('composites nest in each other', () => {
  const made = chain(
    dag({ a: { run: one }, b: { run: chain(print.s({ k: 1 })), after: ['a'] } }),
    group([merge.s({}), chord([any.s({}), one], chain(any.s({}), one, print.s({ k: 1 })))]),
    onError(
      linkError(group([any.s({}), chain(any.s({}), map(source, [{ n: 1 }]))]), one),
      'ignore',
    ),
  );
  typed<Same<typeof made, Composite<[null, number[]] | null>>>();
  assert.ok(planOf(made).nodes.length > 0);
  // @ts-expect-error the text is two levels down
  const wrong = chain(group([chain(one, print.s({ k: 1 }))]), chain(group([sum.s({ k: 1 })]), one));
  assert.ok(planOf(wrong).nodes.length > 0);
});

test('a policy that goes on without a result adds null', () => {
  const failing = onError(one, 'fail');
  typed<Same<typeof failing, Composite<number>>>();
  const ignored = onError(one, 'ignore');
  typed<Same<typeof ignored, Composite<number | null>>>();
  const linked = linkError(print.s({ k: 1 }), one);
  typed<Same<typeof linked, Composite<string, Needs<number>>>>();
  // @ts-expect-error it accepts no null
  const wrong = chain(ignored, print.s({ k: 1 }));
  assert.equal(planOf(wrong as Composition).nodes.length, 2);
});
