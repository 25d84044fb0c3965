/** The plan of each composition, as one line per node. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  chain,
  chord,
  group,
  linkError,
  onError,
} from '../../../../jobs/framework/canvas/combinators.ts';
import { planOf } from '../../../../jobs/framework/canvas/compile.ts';
import type { Composition } from '../../../../jobs/framework/canvas/composition.ts';
import { dag } from '../../../../jobs/framework/canvas/dag.ts';
import { map } from '../../../../jobs/framework/canvas/over.ts';
import { any, bare, judge, print, source, sum } from './tasks.ts';

const one = source.s({ n: 1 });
const text = print.s({ k: 1 });
const flag = judge.s({ k: 1 });
const total = sum.s({ k: 1 });
const last = any.s({});

/** `1 print(0) -> 2` takes what node 0 gave; `1 =0` is a fork, `3 [1, 2]` and `3 {a: 1}` are joins. */
function sketch(composition: Composition): string[] {
  const { nodes, output, links } = planOf(composition);
  const lines = nodes.map((planned, index) => {
    const { node, next, onError: policy } = planned;
    assert.equal(node, index);
    const nexts = [next ?? []].flat();
    const what = planned.kind === 'task' ? taskText(planned) : junctionText(planned);
    const to = nexts.length === 0 ? '' : ` -> ${nexts.join(', ')}`;
    return `${node} ${what}${to}${policy === 'fail' ? '' : ` !${policy}`}`;
  });
  assert.equal(output, nodes.length - 1);
  return [
    ...lines,
    ...links.map(({ first, last: end, signature }) => `${first}..${end} ${signature.task.name}`),
  ];
}

type Node = ReturnType<typeof planOf>['nodes'][number];

function taskText({ signature, previous }: Node & { kind: 'task' }): string {
  return `${signature.task.name}${previous === undefined ? '' : `(${previous})`}`;
}

function junctionText({ inputs, names, passes }: Node & { kind: 'junction' }): string {
  if (passes) return `=${inputs.join()}`;
  if (names === undefined) return `[${inputs.join(', ')}]`;
  assert.equal(names.length, inputs.length);
  return `{${names.map((name, index) => `${name}: ${inputs[index]}`).join(', ')}}`;
}

const PLANS: Record<string, [composition: Composition, plan: string[]]> = {
  'a task': [one, ['0 source']],
  'a chain': [chain(one, text, flag), ['0 source -> 1', '1 print(0) -> 2', '2 judge(1)']],
  'a chain of one': [chain(one), ['0 source']],
  'a chain that ignores results': [
    chain(one, one, print.si({ k: 1, previous: 2 })),
    ['0 source -> 1', '1 source -> 2', '2 print'],
  ],
  'a chain in a chain': [
    chain(chain(one, text), chain(flag, last)),
    ['0 source -> 1', '1 print(0) -> 2', '2 judge(1) -> 3', '3 any(2)'],
  ],
  'a group': [group([one, one]), ['0 source -> 2', '1 source -> 2', '2 [0, 1]']],
  'a group of none': [group([]), ['0 []']],
  'a group after a task': [
    chain(one, group([text, one])),
    ['0 source -> 1', '1 =0 -> 2, 3', '2 print(1) -> 4', '3 source -> 4', '4 [2, 3]'],
  ],
  'a group of one after a task': [
    chain(one, group([text])),
    ['0 source -> 1', '1 print(0) -> 2', '2 [1]'],
  ],
  'a group of none between tasks': [
    chain(one, group([]), last),
    ['0 source -> 1', '1 [] -> 2', '2 any(1)'],
  ],
  'a group after a group': [
    chain(group([one]), group([total, total])),
    ['0 source -> 1', '1 [0] -> 2, 3', '2 sum(1) -> 4', '3 sum(1) -> 4', '4 [2, 3]'],
  ],
  'a group in a group after a task': [
    chain(one, group([group([text, text]), group([])])),
    [
      '0 source -> 1',
      '1 =0 -> 2, 3, 5',
      '2 print(1) -> 4',
      '3 print(1) -> 4',
      '4 [2, 3] -> 6',
      '5 [] -> 6',
      '6 [4, 5]',
    ],
  ],
  'a chord': [
    chord([one, one], total),
    ['0 source -> 2', '1 source -> 2', '2 [0, 1] -> 3', '3 sum(2)'],
  ],
  'a chord of a group with a composite callback': [
    chord(group([one]), chain(total, text)),
    ['0 source -> 1', '1 [0] -> 2', '2 sum(1) -> 3', '3 print(2)'],
  ],
  'a map': [map(source, [{ n: 1 }, { n: 2 }]), ['0 source -> 2', '1 source -> 2', '2 [0, 1]']],
  'a dag of one': [dag({ a: { run: one } }), ['0 source -> 1', '1 {a: 0}']],
  'a dag with a diamond, listed backwards': [
    dag({
      d: { run: last, after: ['c', 'b'] },
      c: { run: text, after: ['a'] },
      b: { run: one, after: ['a'] },
      a: { run: one },
    }),
    [
      '0 source -> 1',
      '1 =0 -> 2, 3',
      '2 print(1) -> 4',
      '3 source -> 4',
      '4 {c: 2, b: 3} -> 5',
      '5 any(4) -> 6',
      '6 {d: 5, c: 2, b: 3, a: 0}',
    ],
  ],
  'a dag with several roots after a task': [
    chain(one, dag({ a: { run: text }, b: { run: one }, c: { run: flag, after: ['a'] } })),
    [
      '0 source -> 1',
      '1 =0 -> 2, 3',
      '2 print(1) -> 4',
      '3 source -> 5',
      '4 judge(2) -> 5',
      '5 {a: 2, b: 3, c: 4}',
    ],
  ],
  'a dag with one root after a task': [
    chain(one, dag({ a: { run: text } }), last),
    ['0 source -> 1', '1 print(0) -> 2', '2 {a: 1} -> 3', '3 any(2)'],
  ],
  'a dag of groups, whose junctions need no fork': [
    dag({
      a: { run: group([one]) },
      b: { run: group([total, total]), after: ['a'] },
      c: { run: total, after: ['a'] },
    }),
    [
      '0 source -> 1',
      '1 [0] -> 2, 3, 5',
      '2 sum(1) -> 4',
      '3 sum(1) -> 4',
      '4 [2, 3] -> 6',
      '5 sum(1) -> 6',
      '6 {a: 1, b: 4, c: 5}',
    ],
  ],
  'a dag with a name of the prototype': [
    dag({ ['__proto__']: { run: one }, toString: { run: text, after: ['__proto__'] } }),
    ['0 source -> 1', '1 print(0) -> 2', '2 {__proto__: 0, toString: 1}'],
  ],
  'links, whose parts are whole': [
    linkError(
      chain(one, linkError(group([text, text]), source.s({ n: 2 })), last),
      bare.s({ items: [] }),
    ),
    [
      '0 source -> 1',
      '1 =0 -> 2, 3',
      '2 print(1) -> 4',
      '3 print(1) -> 4',
      '4 [2, 3] -> 5',
      '5 any(4)',
      '1..4 source',
      '0..5 bare',
    ],
  ],
  'a link in a dag, which leaves the fork after it out': [
    dag({
      a: { run: linkError(one, bare.s({ items: [] })) },
      b: { run: text, after: ['a'] },
      c: { run: text, after: ['a'] },
    }),
    [
      '0 source -> 1',
      '1 =0 -> 2, 3',
      '2 print(1) -> 4',
      '3 print(1) -> 4',
      '4 {a: 0, b: 2, c: 3}',
      '0..0 bare',
    ],
  ],
  'policies, put on outputs': [
    group([
      onError(one, 'continue'),
      onError(group([one]), 'ignore'),
      onError(chain(one, text), 'ignore'),
    ]),
    [
      '0 source -> 5 !continue',
      '1 source -> 2',
      '2 [1] -> 5 !ignore',
      '3 source -> 4',
      '4 print(3) -> 5 !ignore',
      '5 [0, 2, 4]',
    ],
  ],
  'policies around policies: the outer one counts': [
    chain(onError(onError(one, 'ignore'), 'fail'), onError(onError(last, 'fail'), 'continue')),
    ['0 source -> 1', '1 any(0) !continue'],
  ],
};

describe('the plan of', () => {
  for (const [name, [composition, plan]] of Object.entries(PLANS)) {
    test(name, () => assert.deepEqual(sketch(composition), plan));
  }
});

test('a step keeps its payload and options, without previous', () => {
  const step = print.s({ k: 1 }, { priority: 3 });
  assert.deepEqual([step.payload, step.options], [{ k: 1 }, { priority: 3 }]);
  assert.equal(step.takesPrevious, true);
  assert.ok(!('takesPrevious' in print.s({ k: 1, previous: 2 })));
  assert.ok(!('takesPrevious' in any.si({ previous: undefined })));
});

test('a composition does not change with what it was made of', () => {
  const parts = [one];
  const after = ['a'];
  const nodes = { a: { run: one }, b: { run: one, after } };
  const [grouped, graph] = [group(parts), dag(nodes as { a: { run: typeof one } })];
  const before = [sketch(grouped), sketch(graph)];
  parts.push(one);
  after.pop();
  Object.assign(nodes, { c: { run: one } });
  assert.deepEqual([sketch(grouped), sketch(graph)], before);
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    value === one ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen));
  for (const made of [grouped, graph, chain(one), linkError(one, one), onError(one, 'fail')]) {
    assert.ok(isFrozen(made));
  }
});
