/** Random compositions, and what they mean by definition: read from their shape, without a plan. */
import fc, { type Arbitrary } from 'fast-check';
import { chain, group, linkError, onError } from '../../../../jobs/framework/canvas/combinators.ts';
import type { AnyPart, DagNode } from '../../../../jobs/framework/canvas/composition.ts';
import { dag } from '../../../../jobs/framework/canvas/dag.ts';
import type { Signature, Step } from '../../../../jobs/framework/signature.ts';
import { print, source } from './tasks.ts';

const signature = fc.nat().map((n) => source.s({ n }));
const step = fc.nat().map((k) => print.s({ k }));

export const randomPart = fc.letrec<{ part: AnyPart }>((tie) => {
  const part = tie('part');
  return {
    part: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      signature,
      step,
      fc
        .array(part, { minLength: 1, maxLength: 4 })
        .map((parts) => chain(...(parts as Signature[]))),
      fc.array(part, { maxLength: 4 }).map((parts) => group(parts)),
      randomDag(part),
      fc.tuple(part, signature).map((given) => linkError(...given)),
      fc
        .tuple(part, fc.constantFrom('fail', 'continue', 'ignore'))
        .map((given) => onError(...given)),
    ),
  };
}).part;

/** The nodes wait for some of those of a lower number, and are listed in any order. */
function randomDag(part: Arbitrary<AnyPart>): Arbitrary<AnyPart> {
  const before = fc.array(fc.nat(), { maxLength: 3 });
  return fc
    .array(fc.record({ run: part, before, rank: fc.nat() }), { minLength: 1, maxLength: 5 })
    .map((drawn) => {
      const nodes = drawn.map(({ run, before: numbers, rank }, index) => {
        const after = index === 0 ? [] : [...new Set(numbers.map((n) => `n${n % index}`))];
        return { rank, entry: [`n${index}`, { run, after }] as const };
      });
      const listed = nodes.toSorted((a, b) => a.rank - b.rank).map(({ entry }) => entry);
      return dag(Object.fromEntries(listed) as never) as AnyPart;
    });
}

/** What a task gives: its payload, and what it took. */
export function outputOf(task: Signature | Step, previous: unknown): unknown {
  return 'takesPrevious' in task ? { ...(task.payload as object), previous } : task.payload;
}

/** The result of a part after `previous`. */
export function meaningOf(part: AnyPart, previous: unknown): unknown {
  if (!('shape' in part)) return outputOf(part, previous);
  const { shape } = part;
  if (shape.kind === 'chain') {
    return shape.parts.reduce((result, each) => meaningOf(each, result), previous);
  }
  if (shape.kind === 'group') return shape.parts.map((each) => meaningOf(each, previous));
  if (shape.kind !== 'dag') return meaningOf(shape.part, previous);
  const meaningOfNode = ({ run, after = [] }: DagNode): unknown => {
    const [first, ...others] = after;
    if (first === undefined) return meaningOf(run, previous);
    if (others.length === 0) return meaningOf(run, meaningOfNode(shape.nodes[first]!));
    const named = after.map((name) => [name, meaningOfNode(shape.nodes[name]!)]);
    return meaningOf(run, Object.fromEntries(named));
  };
  const results = Object.entries(shape.nodes).map(([name, node]) => [name, meaningOfNode(node)]);
  return Object.fromEntries(results);
}

/** The parts that `part` consists of. */
function partsOf(part: AnyPart): readonly AnyPart[] {
  if (!('shape' in part)) return [];
  const { shape } = part;
  if ('parts' in shape) return shape.parts;
  return 'nodes' in shape ? Object.values(shape.nodes).map(({ run }) => run) : [shape.part];
}

export function startsWithStep(part: AnyPart): boolean {
  if (!('shape' in part)) return 'takesPrevious' in part;
  const { shape } = part;
  if (shape.kind === 'chain') return startsWithStep(shape.parts[0]!);
  if (shape.kind !== 'dag') return partsOf(part).some((each) => startsWithStep(each));
  const roots = Object.values(shape.nodes).filter(({ after = [] }) => after.length === 0);
  return roots.some(({ run }) => startsWithStep(run));
}

export function tasksOf(part: AnyPart): (Signature | Step)[] {
  return 'shape' in part ? partsOf(part).flatMap((each) => tasksOf(each)) : [part];
}

/** For each `linkError`: its signature, and the tasks it is for. */
export function linksOf(part: AnyPart): [link: Signature, tasks: (Signature | Step)[]][] {
  const inner = partsOf(part).flatMap((each) => linksOf(each));
  if (!('shape' in part) || part.shape.kind !== 'linkError') return inner;
  return [...inner, [part.shape.signature, tasksOf(part)]];
}
